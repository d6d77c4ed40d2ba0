//! Shows that the tests bite (`cargo xtask planted`, `make test-planted`).
//!
//! `xtask/planted.txt` names one-line faults and the test that must catch each. Each test runs without a fault (it must
//! pass) and with it (it must fail), in the same programs as `make test` runs.
//!
//! Promises: a test that does not exist, that fails anyway, or that misses its fault is a failure of this command.
//! Refuses: to judge a fault that no production line mentions, because then nothing was planted.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::complaint::{Complaint, Rule};
use crate::process::{Ended, output_of, run_boxed, run_shown};
use crate::tree::Tree;

const PLANTED: Rule = Rule {
    name: "planted",
    why: "a planted fault is worth something when a test is known to catch it",
};
const TABLE: &str = "xtask/planted.txt";
/// Faults of the chart, which is no program of ours: its tests plant them in a copy.
const OF_CHART: &str = "tests/src/chart/planted.rs";
/// The program that system tests start.
const PROGRAM: &str = "target/ci/trackway";
/// One run of one test; a hang under a fault is a fault caught, but it must end.
const TEST_SECONDS_MAX: u64 = 180;
/// How many lines of a failing test are shown.
const SHOWN_LINES_MAX: usize = 40;

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    name: String,
    package: String,
    /// Part of the test's path, as `cargo test` takes it.
    test: String,
}

/// A test program of a package and the folder it runs in.
#[derive(Debug, Clone)]
struct TestProgram {
    program: PathBuf,
    folder: PathBuf,
}

/// Runs the table, or only the faults named.
///
/// # Errors
/// A fault is not caught, or a test is missing or fails without a fault.
pub(crate) fn run(root: &Path, only: &[String]) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root.join(TABLE))
        .with_context(|| format!("cannot read {TABLE}"))?;
    let mut faults = parse(&text)?;
    for name in only {
        ensure!(
            faults.iter().any(|fault| &fault.name == name),
            "{TABLE} names no fault \"{name}\""
        );
    }
    faults.retain(|fault| only.is_empty() || only.contains(&fault.name));
    let mut complaints = Vec::new();
    if only.is_empty() {
        check(&Tree::read(root)?, &mut complaints);
    }
    ensure!(
        complaints.is_empty(),
        "{}",
        complaints
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    );
    if faults.is_empty() {
        bail!("{TABLE} names no fault");
    }
    let programs = build(root)?;
    let mut clean: BTreeMap<(&str, &str), Result<(), String>> = BTreeMap::new();
    let mut missed = 0_usize;
    println!("{:<44} {:<14} test", "fault", "package");
    for fault in &faults {
        let own = programs
            .get(&fault.package)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let key = (fault.package.as_str(), fault.test.as_str());
        let is_clean = match clean.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(passes_without_fault(root, own, &fault.test)?),
        };
        let verdict = match is_clean {
            Err(reason) => Err(reason.clone()),
            Ok(()) => is_caught(root, own, fault)?,
        };
        let (Ok(shown) | Err(shown)) = &verdict;
        println!("{:<44} {:<14} {}", fault.name, fault.package, fault.test);
        println!("    {shown}");
        missed += usize::from(verdict.is_err());
    }
    let word = if missed == 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {} passed; {missed} failed; 0 ignored",
        faults.len() - missed
    );
    ensure!(
        missed == 0,
        "{missed} of {} planted faults are not caught",
        faults.len()
    );
    Ok(())
}

/// Proposes rows for planted faults that have none: runs all tests of the fault's own crate with it, and names one
/// that fails (all others that fail stand behind it in a comment). With packages named, only for those.
///
/// # Errors
/// The tests cannot be built.
pub(crate) fn suggest(root: &Path, packages: &[String]) -> anyhow::Result<()> {
    let tree = Tree::read(root)?;
    let table = tree
        .get(TABLE)
        .map(|file| parse(&file.text))
        .transpose()?
        .unwrap_or_default();
    let mut faults: Vec<Fault> = Vec::new();
    for (name, file, _) in planted_names(&tree) {
        // Faults of the chart are planted by tests of the whole.
        let package = match file.split('/').nth(1).unwrap_or_default() {
            _ if file == OF_CHART => "system-tests",
            package => package,
        };
        let package = package.to_owned();
        let is_wanted = packages.is_empty() || packages.contains(&package);
        if is_wanted && !table.iter().chain(&faults).any(|fault| fault.name == name) {
            faults.push(Fault {
                name,
                package,
                test: String::new(),
            });
        }
    }
    if faults.is_empty() {
        println!("every planted fault has a row");
        return Ok(());
    }
    let programs = build(root)?;
    for fault in &faults {
        let mut failing = Vec::new();
        for program in programs
            .get(&fault.package)
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            failing.extend(failing_tests(
                &run_test(root, program, "", Some(&fault.name))?.output,
            ));
        }
        match failing.split_first() {
            Some((first, [])) => println!("{} {} {first}", fault.name, fault.package),
            Some((first, more)) => println!(
                "{} {} {first} # also {}",
                fault.name,
                fault.package,
                more.join(", ")
            ),
            None => println!(
                "# {} {}: no test of this crate fails",
                fault.name, fault.package
            ),
        }
    }
    Ok(())
}

/// Finds the names in lines `test NAME ... FAILED`.
fn failing_tests(output: &str) -> Vec<String> {
    let name = |line: &str| {
        Some(
            line.strip_prefix("test ")?
                .strip_suffix(" ... FAILED")?
                .to_owned(),
        )
    };
    output.lines().filter_map(name).collect()
}

/// Reads the table: `fault package test` on each line, `#` begins a comment.
fn parse(text: &str) -> anyhow::Result<Vec<Fault>> {
    let mut faults: Vec<Fault> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, package, test] = words.as_slice() else {
            bail!(
                "{TABLE}:{}: want \"fault package test\", found \"{line}\"",
                index + 1
            );
        };
        ensure!(
            !faults.iter().any(|fault| fault.name == *name),
            "{TABLE}:{}: \"{name}\" comes twice",
            index + 1
        );
        let [name, package, test] = [name, package, test].map(|word| (*word).to_owned());
        faults.push(Fault {
            name,
            package,
            test,
        });
    }
    Ok(faults)
}

/// Complains where the table and the code differ: a name that stands in no production line would make its verdict
/// worthless, and of a planted fault without a row nobody knows whether it is caught.
pub(crate) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(table) = tree.get(TABLE) else { return };
    let faults = match parse(&table.text) {
        Ok(faults) => faults,
        Err(error) => {
            complaints.push(PLANTED.broken(TABLE, 1, format!("{error:#}"), "correct the line"));
            return;
        }
    };
    let in_code = planted_names(tree);
    for fault in faults
        .iter()
        .filter(|fault| !in_code.iter().any(|(name, _, _)| *name == fault.name))
    {
        let what = format!(
            "\"{}\" is planted nowhere in crates/ or {OF_CHART}",
            fault.name
        );
        complaints.push(PLANTED.broken(TABLE, 1, what, "remove the row, or plant the fault"));
    }
    for (name, file, line) in in_code {
        if !faults.iter().any(|fault| fault.name == name) {
            let what = format!("\"{name}\" has no row in {TABLE}");
            complaints.push(PLANTED.broken(
                file,
                line,
                what,
                "add a row: fault, package, the test that catches it",
            ));
        }
    }
}

/// Finds the names in `planted("…")` under `crates/` and of the chart, each with its file and line.
fn planted_names(tree: &Tree) -> Vec<(String, &str, usize)> {
    let sources = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with("crates/") || file.path == OF_CHART)
        .filter(|file| file.ends_with(".rs"));
    let mut names = Vec::new();
    for file in sources {
        for (number, line) in file
            .numbered()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for part in line.split("planted(\"").skip(1) {
                names.extend(
                    part.split_once('"')
                        .map(|(name, _)| (name.to_owned(), file.path.as_str(), number)),
                );
            }
        }
    }
    names
}

/// Builds the program and all tests, as `make test` does: after it nothing is left to build.
fn build(root: &Path) -> anyhow::Result<BTreeMap<String, Vec<TestProgram>>> {
    println!("planted: building the program and its tests");
    run_shown(cargo(root, "build").arg("--all-targets"))?;
    let mut compile = cargo(root, "test");
    compile.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    compile.stderr(std::process::Stdio::inherit());
    let messages = output_of(&mut compile)?;
    let mut programs: BTreeMap<String, Vec<TestProgram>> = BTreeMap::new();
    for message in messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let Some(program) = message["executable"].as_str() else {
            continue;
        };
        let Some(manifest) = message["manifest_path"].as_str().map(Path::new) else {
            continue;
        };
        let is_test = message["profile"]["test"].as_bool() == Some(true);
        let (Some(folder), true) = (manifest.parent(), is_test) else {
            continue;
        };
        let package = package_name(manifest)?;
        let found = TestProgram {
            program: program.into(),
            folder: folder.to_path_buf(),
        };
        programs.entry(package).or_default().push(found);
    }
    Ok(programs)
}

fn cargo(root: &Path, command: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args([command, "--locked", "--profile", "ci", "--workspace"]);
    cargo.current_dir(root);
    cargo
}

fn package_name(manifest: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    Ok(name
        .with_context(|| format!("{} names no package", manifest.display()))?
        .to_owned())
}

/// Runs the test without any fault: it must exist and pass. The inner error says why it does not.
fn passes_without_fault(
    root: &Path,
    programs: &[TestProgram],
    test: &str,
) -> anyhow::Result<Result<(), String>> {
    let mut ran = 0;
    for program in programs {
        let ended = run_test(root, program, test, None)?;
        ran += tests_run(&ended.output);
        if !ended.succeeded() {
            return Ok(Err(format!(
                "NOT SHOWN: the test fails without the fault\n{}",
                tail(&ended.output)
            )));
        }
    }
    Ok(if ran == 0 {
        Err("NOT SHOWN: there is no such test".to_owned())
    } else {
        Ok(())
    })
}

/// Runs the test with the fault: it must fail. The inner result is the verdict to print.
fn is_caught(
    root: &Path,
    programs: &[TestProgram],
    fault: &Fault,
) -> anyhow::Result<Result<String, String>> {
    for program in programs {
        let ended = run_test(root, program, &fault.test, Some(&fault.name))?;
        if ended.status.is_none() {
            return Ok(Ok(format!("caught (no end within {TEST_SECONDS_MAX} s)")));
        }
        if !ended.succeeded() {
            return Ok(Ok("caught".to_owned()));
        }
    }
    Ok(Err("NOT CAUGHT: the test passes with the fault".to_owned()))
}

fn run_test(
    root: &Path,
    program: &TestProgram,
    test: &str,
    fault: Option<&str>,
) -> anyhow::Result<Ended> {
    let mut command = Command::new(&program.program);
    command
        .arg(test)
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder);
    command.env("TRACKWAY_BIN", root.join(PROGRAM));
    match fault {
        Some(fault) => command.env("TRACKWAY_PLANTED", fault),
        None => command.env_remove("TRACKWAY_PLANTED"),
    };
    run_boxed(&mut command, Duration::from_secs(TEST_SECONDS_MAX))
}

/// Sums the numbers of the lines `running N tests`.
fn tests_run(output: &str) -> usize {
    let counts = output.lines().filter_map(|line| {
        line.strip_prefix("running ")?
            .split(' ')
            .next()?
            .parse::<usize>()
            .ok()
    });
    counts.sum()
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let from = lines.len().saturating_sub(SHOWN_LINES_MAX);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_table_and_refuses_odd_lines() {
        let faults = parse("# comment\n\njournal-skip-fsync journal crash::loses # why\n").unwrap();
        let expected = Fault {
            name: "journal-skip-fsync".into(),
            package: "journal".into(),
            test: "crash::loses".into(),
        };
        assert_eq!(faults, [expected]);
        assert!(
            parse("only two\n")
                .unwrap_err()
                .to_string()
                .contains("planted.txt:1")
        );
        assert!(
            parse("a b c\na b d\n")
                .unwrap_err()
                .to_string()
                .contains("comes twice")
        );
    }

    #[test]
    fn complains_where_table_and_production_lines_differ() {
        let code = "//! planted(\"in-a-comment\")\nif !plumbing::planted(\"one\") { x() }\n";
        let complaints = |table: &str| {
            let files = [
                ("crates/store/src/a.rs", code),
                ("tests/src/a.rs", "planted(\"elsewhere\")\n"),
                (TABLE, table),
            ];
            let mut complaints = Vec::new();
            check(&Tree::of(&files), &mut complaints);
            complaints
                .into_iter()
                .map(|c| format!("{}:{} {}", c.file, c.line, c.what))
                .collect::<Vec<_>>()
        };
        assert!(complaints("one store a::b\n").is_empty());
        let expected = [
            "xtask/planted.txt:1 \"two\" is planted nowhere in crates/ or tests/src/chart/planted.rs",
            "crates/store/src/a.rs:2 \"one\" has no row in xtask/planted.txt",
        ];
        assert_eq!(complaints("two store a::b\n"), expected);
    }

    #[test]
    fn names_the_tests_that_fail() {
        assert_eq!(
            failing_tests("test a::b ... ok\ntest a::c ... FAILED\nFAILED\n"),
            ["a::c"]
        );
    }

    #[test]
    fn counts_the_tests_that_ran() {
        assert_eq!(tests_run("\nrunning 2 tests\nok\n\nrunning 1 test\n"), 3);
        assert_eq!(tests_run("running 0 tests\n"), 0);
    }
}
