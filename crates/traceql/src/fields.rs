//! The fields: one table of all that every span has, and the places where attributes stand.
//!
//! Promises: [`INTRINSICS`] is the only list; the lexer, the help of completion, printing and the documentation follow
//! it. The first name of a field is the one that is printed.

use crate::ast::Field;

/// Where an attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// On the span, or where the span has none of this key, on its resource.
    Either,
    /// On the span.
    Span,
    /// On the resource.
    Resource,
    /// On one of the events.
    Event,
    /// On one of the links.
    Link,
    /// On the instrumentation scope.
    Instrumentation,
}

impl Scope {
    /// All that have a name.
    pub const NAMED: [Self; 5] = [
        Self::Span,
        Self::Resource,
        Self::Event,
        Self::Link,
        Self::Instrumentation,
    ];

    /// As it is written before the dot.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Either => "",
            Self::Span => "span",
            Self::Resource => "resource",
            Self::Event => "event",
            Self::Link => "link",
            Self::Instrumentation => "instrumentation",
        }
    }

    /// What stands there, in one line.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Either => "an attribute of the span, or else of its resource",
            Self::Span => "an attribute of the span",
            Self::Resource => "an attribute of the resource: service, host, deployment",
            Self::Event => "an attribute of any event of the span",
            Self::Link => "an attribute of any link of the span",
            Self::Instrumentation => "an attribute of the instrumentation scope",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|scope| scope.text() == name)
    }
}

/// The type of a value, as far as it is known before a span is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// That of an attribute: each span may have another.
    Unknown,
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// True or false.
    Bool,
    /// A duration.
    Duration,
    /// A status.
    Status,
    /// A kind.
    Kind,
    /// The type of `nil`.
    Nil,
}

impl Type {
    /// For messages: "a duration".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "an attribute",
            Self::String => "a text",
            Self::Int | Self::Float => "a number",
            Self::Bool => "a boolean",
            Self::Duration => "a duration",
            Self::Status => "a status",
            Self::Kind => "a kind",
            Self::Nil => "nil",
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }
}

/// A field that every span has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table below says what each is")]
pub enum Intrinsic {
    Name,
    Status,
    StatusMessage,
    Kind,
    Duration,
    SpanId,
    ParentId,
    ChildCount,
    SelfTime,
    CriticalTime,
    TraceId,
    TraceDuration,
    RootName,
    RootService,
    SpanCount,
    ErrorCount,
    EventName,
    EventTimeSinceStart,
    LinkTraceId,
    LinkSpanId,
    ScopeName,
    ScopeVersion,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct IntrinsicRow {
    /// The field.
    pub intrinsic: Intrinsic,
    /// Its names; the first is the one that is printed.
    pub names: &'static [&'static str],
    /// Its type.
    pub value_type: Type,
    /// What it is, in one line.
    pub help: &'static str,
    /// Whether it is Trackway's own, which Tempo does not know.
    pub is_own: bool,
}

const fn row(
    intrinsic: Intrinsic,
    names: &'static [&'static str],
    value_type: Type,
    help: &'static str,
) -> IntrinsicRow {
    IntrinsicRow {
        intrinsic,
        names,
        value_type,
        help,
        is_own: false,
    }
}

const fn own(row: IntrinsicRow) -> IntrinsicRow {
    IntrinsicRow {
        is_own: true,
        ..row
    }
}

use Intrinsic as I;

/// All fields that every span has.
#[rustfmt::skip]
pub const INTRINSICS: [IntrinsicRow; 22] = [
    row(I::Name, &["name", "span:name"], Type::String, "the span's name, the operation"),
    row(I::Status, &["status", "span:status"], Type::Status, "ok, error or unset"),
    row(I::StatusMessage, &["statusMessage", "span:statusMessage"], Type::String, "what the status says in words"),
    row(I::Kind, &["kind", "span:kind"], Type::Kind, "server, client, producer, consumer, internal, …"),
    row(I::Duration, &["duration", "span:duration"], Type::Duration, "the span's end minus its start"),
    row(I::SpanId, &["span:id"], Type::String, "the span's id in hexadecimal"),
    row(I::ParentId, &["span:parentID"], Type::String, "the parent's id in hexadecimal; \"\" where there is none"),
    row(I::ChildCount, &["span:childCount"], Type::Int, "spans whose parent this span is"),
    own(row(I::SelfTime, &["span:selfTime"], Type::Duration, "what of the duration no child covers")),
    own(row(I::CriticalTime, &["span:criticalTime"], Type::Duration, "its share of the trace's critical path")),
    row(I::TraceId, &["trace:id"], Type::String, "the trace's id in hexadecimal"),
    row(I::TraceDuration, &["traceDuration", "trace:duration"], Type::Duration, "the last end minus the first start"),
    row(I::RootName, &["rootName", "trace:rootName"], Type::String, "the name of the trace's root span"),
    row(I::RootService, &["rootServiceName", "trace:rootService"], Type::String, "the service of the root span"),
    own(row(I::SpanCount, &["trace:spanCount"], Type::Int, "the spans of the trace")),
    own(row(I::ErrorCount, &["trace:errorCount"], Type::Int, "those whose status is error")),
    row(I::EventName, &["event:name"], Type::String, "the name of any event"),
    row(I::EventTimeSinceStart, &["event:timeSinceStart"], Type::Duration, "how long after the start any event was"),
    row(I::LinkTraceId, &["link:traceID"], Type::String, "the trace that any link leads to"),
    row(I::LinkSpanId, &["link:spanID"], Type::String, "the span that any link leads to"),
    row(I::ScopeName, &["instrumentation:name"], Type::String, "the name of the instrumentation scope"),
    row(I::ScopeVersion, &["instrumentation:version"], Type::String, "the version of the instrumentation scope"),
];

impl Intrinsic {
    /// Its row of the table.
    #[must_use]
    pub fn row(self) -> Option<&'static IntrinsicRow> {
        INTRINSICS.iter().find(|row| row.intrinsic == self)
    }

    /// The name that is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        let first = self.row().and_then(|row| row.names.first());
        first.copied().unwrap_or_default()
    }

    /// Its type.
    #[must_use]
    pub fn value_type(self) -> Type {
        self.row().map_or(Type::Unknown, |row| row.value_type)
    }

    /// The field of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let row = INTRINSICS.iter().find(|row| row.names.contains(&name));
        row.map(|row| row.intrinsic)
    }

    /// Whether it is an id, which is compared as one and not as a text.
    pub(crate) fn is_id(self) -> bool {
        use Intrinsic as I;
        matches!(
            self,
            I::SpanId | I::ParentId | I::TraceId | I::LinkTraceId | I::LinkSpanId
        )
    }
}

impl Field {
    /// Its type.
    #[must_use]
    pub fn value_type(&self) -> Type {
        match self {
            Self::Intrinsic(intrinsic) => intrinsic.value_type(),
            Self::Attribute { .. } if self.is_service_name() => Type::String,
            Self::Attribute { .. } => Type::Unknown,
        }
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(scope: Scope, key: &str) -> Self {
        Self::Attribute {
            scope,
            key: key.to_owned(),
        }
    }

    /// Whether it is `resource.service.name`, which every span has: what is shown as its service.
    pub(crate) fn is_service_name(&self) -> bool {
        matches!(self, Self::Attribute { scope: Scope::Resource, key } if key == SERVICE_NAME)
    }
}

/// The attribute that names the service.
pub(crate) const SERVICE_NAME: &str = "service.name";

/// Finds the name that is nearest to a word: at most a third of its letters differ.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than every name; comparing it would only take time.
    const WORD_CHARS_MAX: usize = 48;
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    if letters.is_empty() || letters.len() > WORD_CHARS_MAX {
        return None;
    }
    let by_distance = names.map(|name| (distance(&letters, name), name));
    let (distance, name) = by_distance.min_by_key(|(distance, _)| *distance)?;
    (distance <= letters.len().max(3) / 3).then_some(name)
}

/// The letters that must be put in, removed, changed or swapped with their neighbour.
fn distance(word: &[char], name: &str) -> usize {
    let other: Vec<char> = name.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in word.iter().enumerate() {
        let mut here = vec![row + 1];
        for (column, other_letter) in other.iter().enumerate() {
            let get = |of: &[usize], at: usize| of.get(at).copied().unwrap_or(usize::MAX / 2);
            let changed = get(&above, column) + usize::from(letter != other_letter);
            let mut least = changed
                .min(get(&above, column + 1) + 1)
                .min(get(&here, column) + 1);
            let is_swap = row > 0
                && column > 0
                && word.get(row - 1) == Some(other_letter)
                && other.get(column - 1) == Some(letter);
            if is_swap {
                least = least.min(get(&before, column - 1) + 1);
            }
            here.push(least);
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_one_row_and_no_name_is_given_twice() {
        let mut names: Vec<_> = INTRINSICS.iter().flat_map(|row| row.names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in &INTRINSICS {
            assert_eq!(row.intrinsic.name(), row.names[0]);
            assert_eq!(Intrinsic::from_name(row.names[0]), Some(row.intrinsic));
        }
    }

    #[test]
    fn the_nearest_name_is_one_that_was_probably_meant() {
        let of = |word| {
            nearest(
                word,
                INTRINSICS.iter().flat_map(|row| row.names.iter().copied()),
            )
        };
        assert_eq!(of("durration"), Some("duration"));
        assert_eq!(of("staus"), Some("status"));
        assert_eq!(of("nmae"), Some("name"));
        assert_eq!(of("rootservicename"), Some("rootServiceName"));
        assert_eq!(of("http"), None);
        assert_eq!(of(""), None);
        assert_eq!(of(&"x".repeat(1000)), None);
    }
}
