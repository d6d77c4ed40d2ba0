//! Counts the instructions of the hot paths and compares them with a baseline (`cargo xtask instructions`).
//!
//! Instruction counts are the same on a busy and on an idle machine, so they can be a gate where wall clocks cannot.
//! `bench/instructions.txt` says what to run, `bench/instructions.baseline` what it cost, and with which compiler.
//!
//! Promises: over the tolerance fails and names the case; a case without a baseline, or a baseline without a case,
//! fails too. Where the compiler differs from the baseline's, the tolerance is wider and the difference is printed.
//! Refuses to run without valgrind: a gate that skips itself is none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::process::{output_of, run_boxed, run_shown};

const CASES: &str = "bench/instructions.txt";
const BASELINE: &str = "bench/instructions.baseline";
/// Growth that fails, in tenths of a percent.
const TOLERANCE_PERMILLE: u64 = 50;
/// The same where compiler or target differ from those of the baseline.
const TOLERANCE_OTHER_TOOLS_PERMILLE: u64 = 150;
/// Callgrind is about fifty times slower than the program alone.
const CASE_SECONDS_MAX: u64 = 300;

/// What `bench/instructions.txt` asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Run once, before the cases.
    build: Vec<Vec<String>>,
    /// Passed to callgrind, for instance `--toggle-collect=…` to leave out the set-up.
    callgrind: Vec<String>,
    /// Name and command, in the order of the file.
    cases: Vec<(String, Vec<String>)>,
}

/// The baseline file: with which tools it was made, and the count of each case.
#[derive(Debug, Default, PartialEq, Eq)]
struct Baseline {
    tools: String,
    counts: BTreeMap<String, u64>,
}

/// Runs all cases; compares them with the baseline, or rewrites it.
///
/// # Errors
/// A case fails or grew by more than the tolerance; baseline and cases do not fit each other; valgrind is missing.
pub(crate) fn run(root: &Path, update: bool) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root.join(CASES))
        .with_context(|| format!("cannot read {CASES}"))?;
    let plan = parse_plan(&text)?;
    output_of(Command::new("valgrind").arg("--version"))
        .context("valgrind is missing: apt-get install valgrind")?;
    for command in &plan.build {
        run_shown(&mut command_of(root, command)?)?;
    }
    let mut counts = BTreeMap::new();
    for (name, command) in &plan.cases {
        let count = count_instructions(root, name, command, &plan.callgrind)?;
        counts.insert(name.clone(), count);
    }
    let now = Baseline {
        tools: tools_of(root, &plan)?,
        counts,
    };
    if update {
        std::fs::write(root.join(BASELINE), now.to_text())
            .with_context(|| format!("cannot write {BASELINE}"))?;
        println!(
            "instructions: {BASELINE} has {} cases now",
            now.counts.len()
        );
        return Ok(());
    }
    let text = std::fs::read_to_string(root.join(BASELINE));
    let text = text.with_context(|| {
        format!("cannot read {BASELINE}; make it with cargo xtask instructions --update")
    })?;
    let (report, failed) = compare(&Baseline::parse(&text)?, &now);
    print!("{report}");
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {} passed; {failed} failed; 0 ignored",
        now.counts.len().saturating_sub(failed)
    );
    ensure!(
        failed == 0,
        "{failed} cases do not fit {BASELINE}; if it is on purpose: cargo xtask instructions --update"
    );
    Ok(())
}

/// Reads the plan. A line is `case command…`; `@build command…` and `@callgrind option…` set it up.
fn parse_plan(text: &str) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
    {
        let mut words = line.split_whitespace().map(str::to_owned);
        let Some(name) = words.next() else { continue };
        let rest: Vec<String> = words.collect();
        ensure!(
            !rest.is_empty(),
            "{CASES}:{}: \"{name}\" has no command",
            index + 1
        );
        match name.as_str() {
            "@build" => plan.build.push(rest),
            "@callgrind" => plan.callgrind.extend(rest),
            _ if name.starts_with('@') => bail!("{CASES}:{}: unknown \"{name}\"", index + 1),
            _ => plan.cases.push((name, rest)),
        }
    }
    ensure!(!plan.cases.is_empty(), "{CASES} names no case");
    Ok(plan)
}

fn command_of(root: &Path, words: &[String]) -> anyhow::Result<Command> {
    let (program, arguments) = words.split_first().context("a command has no words")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root);
    Ok(command)
}

fn count_instructions(
    root: &Path,
    name: &str,
    case: &[String],
    options: &[String],
) -> anyhow::Result<u64> {
    let folder = root.join("target/instructions");
    std::fs::create_dir_all(&folder)?;
    let out = folder.join(format!("callgrind.{}", name.replace('/', "-")));
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()));
    command.args(options).args(case).current_dir(root);
    let ended = run_boxed(&mut command, Duration::from_secs(CASE_SECONDS_MAX))?;
    ensure!(
        ended.succeeded(),
        "case \"{name}\" failed or took over {CASE_SECONDS_MAX} s:\n{}",
        ended.output
    );
    let profile =
        std::fs::read_to_string(&out).with_context(|| format!("cannot read {}", out.display()))?;
    let count = total_of(&profile).with_context(|| format!("{} names no total", out.display()))?;
    ensure!(
        count > 0,
        "case \"{name}\" counted nothing: does the function of --toggle-collect still exist?"
    );
    Ok(count)
}

/// Reads the total from a callgrind profile.
fn total_of(profile: &str) -> Option<u64> {
    let last = |key: &str| {
        profile
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
    };
    last("totals:").or_else(|| last("summary:"))
}

/// Names what the counts depend on besides the source.
fn tools_of(root: &Path, plan: &Plan) -> anyhow::Result<String> {
    let rustc = output_of(Command::new("rustc").arg("--version").current_dir(root))?;
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let target_cpu = flags
        .split("target-cpu=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let build: Vec<String> = plan.build.iter().map(|command| command.join(" ")).collect();
    Ok(format!(
        "{} · target-cpu {} · {}",
        rustc.trim(),
        target_cpu.unwrap_or("default"),
        build.join(" && ")
    ))
}

impl Baseline {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut baseline = Self::default();
        for line in text.lines() {
            if let Some(tools) = line.strip_prefix("# tools: ") {
                tools.clone_into(&mut baseline.tools);
            } else if !line.starts_with('#') && !line.trim().is_empty() {
                let (name, count) = line
                    .split_once(' ')
                    .with_context(|| format!("{BASELINE}: odd line \"{line}\""))?;
                let count = count
                    .trim()
                    .parse()
                    .with_context(|| format!("{BASELINE}: odd line \"{line}\""))?;
                baseline.counts.insert(name.to_owned(), count);
            }
        }
        Ok(baseline)
    }

    fn to_text(&self) -> String {
        let mut text =
            "# Instructions per case, written by `cargo xtask instructions --update`.\n".to_owned();
        text.push_str("# A higher count needs a reason in the commit that raises it.\n");
        text.push_str(&format!("# tools: {}\n", self.tools));
        for (name, count) in &self.counts {
            text.push_str(&format!("{name} {count}\n"));
        }
        text
    }
}

/// Compares two runs; returns the report and how many cases failed.
fn compare(baseline: &Baseline, now: &Baseline) -> (String, usize) {
    let mut report = Report::default();
    let same_tools = baseline.tools == now.tools;
    let tolerance = if same_tools {
        TOLERANCE_PERMILLE
    } else {
        TOLERANCE_OTHER_TOOLS_PERMILLE
    };
    if !same_tools {
        report.line(&format!(
            "instructions: other tools than the baseline's, so up to {} is let pass",
            percent(tolerance)
        ));
        report.line(&format!(
            "  baseline: {}\n  here:     {}",
            baseline.tools, now.tools
        ));
    }
    for (name, &count) in &now.counts {
        let Some(&before) = baseline.counts.get(name) else {
            report.fail(&format!(
                "{name:<32} {count:>16}  FAILED: it has no baseline"
            ));
            continue;
        };
        let is_over = u128::from(count) * 1000 > u128::from(before) * u128::from(1000 + tolerance);
        let change = i128::from(count) * 1000 / i128::from(before.max(1)) - 1000;
        let shown = format!(
            "{name:<32} {count:>16}  {:+}.{} %",
            change / 10,
            (change % 10).abs()
        );
        if is_over {
            report.fail(&format!(
                "{shown}  FAILED: over {}, before {before}",
                percent(tolerance)
            ));
        } else {
            report.line(&shown);
        }
    }
    for name in baseline
        .counts
        .keys()
        .filter(|name| !now.counts.contains_key(*name))
    {
        report.fail(&format!(
            "{name:<32} {:>16}  FAILED: in the baseline, but no case",
            "–"
        ));
    }
    (report.text, report.failed)
}

fn percent(permille: u64) -> String {
    format!("{} %", permille / 10)
}

#[derive(Default)]
struct Report {
    text: String,
    failed: usize,
}

impl Report {
    fn line(&mut self, line: &str) {
        // Writing into a string cannot fail.
        writeln!(self.text, "{line}").unwrap_or_default();
    }

    fn fail(&mut self, line: &str) {
        self.line(line);
        self.failed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(tools: &str, counts: &[(&str, u64)]) -> Baseline {
        let counts = counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        Baseline {
            tools: tools.to_owned(),
            counts,
        }
    }

    #[test]
    fn fails_over_five_percent_and_not_at_it() {
        let before = baseline("a", &[("decode", 1000)]);
        assert_eq!(compare(&before, &baseline("a", &[("decode", 1050)])).1, 0);
        assert_eq!(compare(&before, &baseline("a", &[("decode", 1051)])).1, 1);
        assert_eq!(compare(&before, &baseline("b", &[("decode", 1051)])).1, 0);
        assert_eq!(compare(&before, &baseline("b", &[("decode", 1151)])).1, 1);
    }

    #[test]
    fn fails_where_cases_and_baseline_do_not_fit() {
        let (report, failed) =
            compare(&baseline("a", &[("old", 1)]), &baseline("a", &[("new", 1)]));
        assert_eq!(failed, 2, "{report}");
        assert!(
            report.contains("no baseline") && report.contains("no case"),
            "{report}"
        );
    }

    #[test]
    fn writes_a_baseline_that_it_reads_again() {
        let written = baseline(
            "rustc 1.95.0 · target-cpu default · cargo build",
            &[("decode", 7), ("freeze", 9)],
        );
        assert_eq!(Baseline::parse(&written.to_text()).unwrap(), written);
    }

    #[test]
    fn reads_the_plan_and_the_total_of_a_profile() {
        let plan = parse_plan(
            "# c\n@build cargo build\n@callgrind --toggle-collect=*::hot\ndecode bin decode 1\n",
        )
        .unwrap();
        assert_eq!(plan.build, [["cargo", "build"]]);
        assert_eq!(plan.callgrind, ["--toggle-collect=*::hot"]);
        assert_eq!(
            plan.cases,
            [(
                "decode".to_owned(),
                vec!["bin".into(), "decode".into(), "1".into()]
            )]
        );
        assert!(
            parse_plan("decode\n").is_err()
                && parse_plan("@x y\n").is_err()
                && parse_plan("").is_err()
        );
        assert_eq!(
            total_of("events: Ir\nsummary: 5\n0 5\ntotals: 7\n"),
            Some(7)
        );
        assert_eq!(total_of("events: Ir\nsummary: 5\n"), Some(5));
        assert_eq!(total_of("events: Ir\n"), None);
    }
}
