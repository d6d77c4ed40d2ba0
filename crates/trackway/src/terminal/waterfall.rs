//! A trace as a waterfall: a tree of its spans, and beside each a bar that shows when it ran.
//!
//! Promises
//! - Every span is shown once, whatever its references say: spans whose parent is missing stand at the left with a
//!   note, and rings of parents are cut open.
//! - Work and memory grow with the number of spans, not with their depth; nothing recurses.
//! - Text of senders is escaped.
//!
//! Refuses: more than [`Content::spans_max`] spans; the rest is counted.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::moment::{duration_text, local_time};
use super::{Ink, Look, Paint, escaped, fitted};
use crate::jaeger_json::{KeyValue, Span, Trace};

/// Columns that the tree takes for a level.
const LEVEL_COLUMNS: usize = 3;
/// Columns of the duration behind the bar.
const DURATION_COLUMNS: usize = 9;
/// Columns of the tree with its names, at least and at most.
const LABEL_COLUMNS: std::ops::RangeInclusive<usize> = 18..=80;

/// What is shown of a trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// Attributes, events, links and warnings as well.
    pub has_attributes: bool,
    /// The most spans.
    pub spans_max: usize,
}

/// Writes the waterfall of a trace.
pub(crate) fn write(
    trace: &Trace,
    content: Content,
    look: Look,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_head(trace, look.paint, zone, out)?;
    let bounds = trace.bounds();
    let drawing = Drawing {
        trace,
        look,
        bounds,
        zone,
    };
    let rows = rows_of(trace, drawing.levels());
    for row in rows.iter().take(content.spans_max) {
        drawing.write_span(row, out)?;
        if content.has_attributes {
            drawing.write_details(row, out)?;
        }
    }
    if let Some(more) = rows
        .len()
        .checked_sub(content.spans_max)
        .filter(|more| *more > 0)
    {
        writeln!(out, "… {more} more spans; --spans 0 shows all")?;
    }
    if content.has_attributes {
        drawing.write_resources(out)?;
    }
    Ok(())
}

fn write_head(trace: &Trace, paint: Paint, zone: &TimeZone, out: &mut dyn Write) -> io::Result<()> {
    let (start, end) = trace.bounds();
    let mut spans_of: BTreeMap<&str, usize> = BTreeMap::new();
    for span in &trace.spans {
        *spans_of.entry(trace.service(span)).or_default() += 1;
    }
    writeln!(
        out,
        "{} {}",
        paint.ink(Ink::Bold, "trace"),
        paint.ink(Ink::Bold, &escaped(&trace.trace_id))
    )?;
    let mut facts = vec![
        local_time(start, zone),
        duration_text(end.saturating_sub(start)),
        counted(trace.spans.len(), "span"),
        counted(spans_of.len(), "service"),
    ];
    let errors = trace.spans.iter().filter(|span| span.is_error()).count();
    if errors > 0 {
        facts.push(paint.ink(Ink::Red, &counted(errors, "error")));
    }
    let warned = trace
        .spans
        .iter()
        .map(|span| span.warnings.as_ref().map_or(0, Vec::len))
        .sum();
    if warned > 0 {
        facts.push(paint.ink(Ink::Yellow, &counted(warned, "warning")));
    }
    writeln!(out, "{}", facts.join(" · "))?;
    for warning in trace.warnings.iter().flatten() {
        writeln!(
            out,
            "{}",
            paint.ink(Ink::Yellow, &format!("! {}", escaped(warning)))
        )?;
    }
    writeln!(out)
}

/// A number and its noun.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// A span with its place in the tree.
struct Row<'a> {
    span: &'a Span,
    /// For each level above the span, whether the tree goes on below it there; then for the span itself.
    goes_on: Vec<bool>,
    /// Levels above, also those that are not drawn.
    level: usize,
    has_children: bool,
    is_orphan: bool,
}

/// The spans in the order of the tree: parents before children, siblings by start, then id.
fn rows_of(trace: &Trace, levels: usize) -> Vec<Row<'_>> {
    let spans = &trace.spans;
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    for (index, span) in spans.iter().enumerate() {
        first_of.entry(span.span_id.as_str()).or_insert(index);
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut roots = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let parent = span
            .parent()
            .and_then(|id| first_of.get(id))
            .filter(|parent| **parent != index);
        match parent.and_then(|parent| children.get_mut(*parent)) {
            Some(siblings) => siblings.push(index),
            None => roots.push(index),
        }
    }
    let order = |index: &usize| {
        spans
            .get(*index)
            .map(|span| (span.start_time, span.span_id.as_str(), *index))
    };
    for siblings in &mut children {
        siblings.sort_by_key(order);
    }
    roots.sort_by_key(order);
    let seen = vec![false; spans.len()];
    let mut walk = Walk {
        spans,
        levels,
        children,
        seen,
        rows: Vec::with_capacity(spans.len()),
    };
    walk.visit_all(&roots);
    // What is left hangs in rings of parents: each ring is entered at its earliest span.
    let mut left: Vec<usize> = (0..spans.len()).collect();
    left.sort_by_key(order);
    for index in left {
        if !walk.has_seen(index) {
            walk.visit_all(&[index]);
        }
    }
    walk.rows
}

struct Walk<'a> {
    spans: &'a [Span],
    /// Levels that are drawn; deeper spans stand at the last one with their level before them.
    levels: usize,
    children: Vec<Vec<usize>>,
    seen: Vec<bool>,
    rows: Vec<Row<'a>>,
}

/// A span that is still to be visited.
struct Pending {
    index: usize,
    level: usize,
    goes_on: Vec<bool>,
}

impl Walk<'_> {
    fn has_seen(&self, index: usize) -> bool {
        self.seen.get(index).copied().unwrap_or(true)
    }

    fn visit_all(&mut self, roots: &[usize]) {
        let root = |index: &usize| Pending {
            index: *index,
            level: 0,
            goes_on: Vec::new(),
        };
        let mut stack: Vec<Pending> = roots.iter().rev().map(root).collect();
        while let Some(pending) = stack.pop() {
            if !self.has_seen(pending.index) {
                self.visit(pending, &mut stack);
            }
        }
    }

    fn visit(&mut self, pending: Pending, stack: &mut Vec<Pending>) {
        let (Some(span), Some(seen)) = (
            self.spans.get(pending.index),
            self.seen.get_mut(pending.index),
        ) else {
            return;
        };
        *seen = true;
        let siblings = self
            .children
            .get(pending.index)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let below: Vec<usize> = siblings
            .iter()
            .copied()
            .filter(|child| !self.has_seen(*child))
            .collect();
        for (place, child) in below.iter().enumerate().rev() {
            let mut goes_on = pending.goes_on.clone();
            if goes_on.len() < self.levels {
                goes_on.push(place + 1 < below.len());
            }
            stack.push(Pending {
                index: *child,
                level: pending.level + 1,
                goes_on,
            });
        }
        self.rows.push(Row {
            span,
            is_orphan: pending.level == 0 && span.parent().is_some(),
            has_children: !below.is_empty(),
            goes_on: pending.goes_on,
            level: pending.level,
        });
    }
}

struct Drawing<'a> {
    trace: &'a Trace,
    look: Look,
    bounds: (i64, i64),
    zone: &'a TimeZone,
}

impl Drawing<'_> {
    fn label_columns(&self) -> usize {
        (self.look.width * 45 / 100).clamp(*LABEL_COLUMNS.start(), *LABEL_COLUMNS.end())
    }

    /// Half of the label is for the tree, so that there is room for names.
    fn levels(&self) -> usize {
        (self.label_columns() / 2 / LEVEL_COLUMNS).max(1)
    }

    fn write_span(&self, row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
        let paint = self.look.paint;
        let is_error = row.span.is_error();
        let service = self.trace.service(row.span);
        let ink = if is_error {
            Ink::Red
        } else {
            Paint::service(service)
        };
        let columns = self.label_columns();
        let mark = if is_error { "✗ " } else { "" };
        let orphan = match row.span.parent() {
            Some(parent) if row.is_orphan => format!(" (parent {} is not here)", escaped(parent)),
            _ => String::new(),
        };
        let branch = branch_of(row);
        let room = columns.saturating_sub(super::width_of(&branch));
        let name = fitted(
            &format!(
                "{mark}{} {}{orphan}",
                escaped(service),
                escaped(&row.span.operation_name)
            ),
            room,
        );
        let bar_columns = self
            .look
            .width
            .saturating_sub(columns + DURATION_COLUMNS + 2);
        let (before, bar) = bar_of(row.span, self.bounds, bar_columns);
        let behind = bar_columns.saturating_sub(before + bar.chars().count());
        writeln!(
            out,
            "{}{} {}{}{} {}",
            paint.ink(Ink::Faint, &branch),
            self.ink_name(&name, mark, service, ink),
            " ".repeat(before),
            paint.ink(ink, &bar),
            " ".repeat(behind),
            format_args!("{:>DURATION_COLUMNS$}", duration_text(row.span.duration)),
        )
    }

    /// The mark and the service's name in colour, the operation plain.
    fn ink_name(&self, name: &str, mark: &str, service: &str, ink: Ink) -> String {
        let coloured = format!("{mark}{}", escaped(service));
        match name.strip_prefix(coloured.as_str()) {
            Some(rest) => format!("{}{rest}", self.look.paint.ink(ink, &coloured)),
            None => self.look.paint.ink(ink, name),
        }
    }

    fn write_details(&self, row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
        let span = row.span;
        let margin = self.look.paint.ink(Ink::Faint, &margin_of(row));
        let line = |out: &mut dyn Write, text: &str| writeln!(out, "{margin}{text}");
        line(
            out,
            &self.faint(&format!("span {}", escaped(&span.span_id))),
        )?;
        for tag in &span.tags {
            line(out, &self.pair(tag))?;
        }
        for log in &span.logs {
            let offset = duration_text(log.timestamp.saturating_sub(span.start_time));
            let fields: Vec<String> = log.fields.iter().map(|field| self.pair(field)).collect();
            line(
                out,
                &format!("{} {}", self.faint(&format!("+{offset}")), fields.join(" ")),
            )?;
        }
        let links = span
            .references
            .iter()
            .filter(|link| Some(link.span_id.as_str()) != span.parent());
        for link in links {
            let to = format!(
                "link to {} in trace {}",
                escaped(&link.span_id),
                escaped(&link.trace_id)
            );
            line(out, &self.faint(&to))?;
        }
        for warning in span.warnings.iter().flatten() {
            line(
                out,
                &self
                    .look
                    .paint
                    .ink(Ink::Yellow, &format!("! {}", escaped(warning))),
            )?;
        }
        Ok(())
    }

    fn write_resources(&self, out: &mut dyn Write) -> io::Result<()> {
        for process in self.trace.processes.values() {
            let ink = Paint::service(&process.service_name);
            let name = self.look.paint.ink(ink, &escaped(&process.service_name));
            writeln!(out, "\n{} {name}", self.faint("resource"))?;
            for tag in &process.tags {
                writeln!(out, "  {}", self.pair(tag))?;
            }
        }
        let (start, end) = self.bounds;
        let (from, to) = (local_time(start, self.zone), local_time(end, self.zone));
        writeln!(out, "\n{}", self.faint(&format!("from {from} to {to}")))
    }

    fn pair(&self, pair: &KeyValue) -> String {
        format!(
            "{}{}",
            self.faint(&format!("{}=", escaped(&pair.key))),
            escaped(&pair.text())
        )
    }

    fn faint(&self, text: &str) -> String {
        self.look.paint.ink(Ink::Faint, text)
    }
}

/// The lines of the tree before a span's name.
fn branch_of(row: &Row<'_>) -> String {
    let Some((goes_on, above)) = row.goes_on.split_last() else {
        return String::new();
    };
    let mut branch = trunks(above);
    branch.push_str(if *goes_on { "├─ " } else { "└─ " });
    if row.level > row.goes_on.len() {
        branch.push_str(&format!("[{}] ", row.level));
    }
    branch
}

/// The lines of the tree before what stands below a span's name.
fn margin_of(row: &Row<'_>) -> String {
    format!(
        "{}{}",
        trunks(&row.goes_on),
        if row.has_children { "│    " } else { "     " }
    )
}

fn trunks(levels: &[bool]) -> String {
    levels
        .iter()
        .map(|goes_on| if *goes_on { "│  " } else { "   " })
        .collect()
}

/// The blanks before a span's bar, and the bar: at least one column, all inside `columns`.
fn bar_of(span: &Span, (start, end): (i64, i64), columns: usize) -> (usize, String) {
    if columns == 0 {
        return (0, String::new());
    }
    let total = u128::from(end.abs_diff(start)).max(1);
    let width = columns as u128;
    let begin = u128::from(span.start_time.abs_diff(start)) * width / total;
    let finish =
        (u128::from(span.end_time().max(span.start_time).abs_diff(start)) * width).div_ceil(total);
    let begin = usize::try_from(begin).unwrap_or(columns).min(columns - 1);
    let finish = usize::try_from(finish)
        .unwrap_or(columns)
        .clamp(begin + 1, columns);
    // Half a column or less is drawn thin, so that a short span does not look like a long one.
    let is_thin = u128::from(span.duration.unsigned_abs()) * width * 2 <= total;
    (
        begin,
        if is_thin {
            "▎".to_owned()
        } else {
            "█".repeat(finish - begin)
        },
    )
}

#[cfg(test)]
mod tests;
