//! The pages that people follow: every command is valid, every file of values is taken by the chart, every object by
//! Kubernetes, and every file of the project that they name is there. Which commands are run is shown in `cluster`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::render::Tools;
use crate::folder::project_root;
use crate::ran::Ran;

const PAGES: [&str; 5] = [
    "docs/kubernetes.md",
    "docs/eks.md",
    "docs/migrate-from-jaeger.md",
    "docs/troubleshooting.md",
    "README.md",
];
/// What paths of the project begin with.
const FOLDERS: [&str; 4] = ["deploy/", "examples/", "docs/", "tests/"];

/// A fenced block: its language, its text, the comment before it if there is one, and its first line's number.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    pub(crate) comment: String,
    pub(crate) line: usize,
}

/// The blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(project_root().join(page)).unwrap();
    let mut found: Vec<Block> = Vec::new();
    let (mut open, mut comment) = (None::<Block>, String::new());
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text.push_str(&format!("{line}\n")),
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.to_owned(),
                    text: String::new(),
                    comment: std::mem::take(&mut comment),
                    line: number + 2,
                });
            }
            (None, None) => {
                let told = line
                    .strip_prefix("<!-- ")
                    .and_then(|rest| rest.strip_suffix(" -->"));
                comment = told.unwrap_or_default().to_owned();
            }
        }
    }
    assert!(open.is_none(), "{page}: a block has no end");
    found
}

#[test]
fn every_command_of_the_pages_is_valid() {
    let mut count = 0;
    for page in PAGES {
        for block in blocks(page).iter().filter(|block| block.language == "sh") {
            let mut bash = Command::new("bash")
                .arg("-n")
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            bash.stdin
                .take()
                .unwrap()
                .write_all(block.text.as_bytes())
                .unwrap();
            let ended = bash.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "{page}:{}: {said}", block.line);
            count += 1;
        }
    }
    assert!(count > 60, "{count} blocks of commands");
}

#[test]
fn files_of_the_project_that_pages_name_are_there() {
    let root = project_root();
    for page in PAGES {
        for block in blocks(page) {
            let words = block
                .text
                .split(|sign: char| sign.is_whitespace() || "\"'=,:;)(".contains(sign));
            for word in words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder))) {
                let path = word.trim_end_matches(['.', '/', '`']);
                // A Deployment is no path; nor is what a command of the page makes.
                if ["deploy/jaeger-", "deploy/service-"]
                    .iter()
                    .any(|begin| path.starts_with(begin))
                {
                    continue;
                }
                if !path.contains('$') && !path.contains('<') {
                    assert!(
                        root.join(path).exists(),
                        "{page}:{}: there is no {path}",
                        block.line
                    );
                }
            }
        }
    }
}

#[test]
fn values_and_objects_of_the_pages_are_taken() {
    let Some(tools) = Tools::find() else { return };
    let tutorial = std::fs::read_to_string(project_root().join("examples/tutorial.yaml")).unwrap();
    let (mut values, mut objects) = (0, 0);
    for page in PAGES {
        for block in blocks(page).iter().filter(|block| block.language == "yaml") {
            let place = format!("{page}:{}", block.line);
            if block.text.contains("# values: ") {
                let chart = tools.chart();
                // Over those of the walk-through, or alone where they say where spans are kept.
                let alone = block.text.contains("storage:");
                let base = if alone { "{}" } else { tutorial.as_str() };
                let Ran { is_well, said } = tools.with_files(&[base, &block.text], |files| {
                    let mut all = vec!["template", "jaeger", chart.to_str().unwrap()];
                    for file in files {
                        all.extend(["-f", file.as_str()]);
                    }
                    tools.helm(&all)
                });
                assert!(is_well, "{place}: {said}");
                let complaints = tools.complaints(&said);
                assert!(complaints.is_empty(), "{place}: {complaints}");
                values += 1;
            } else if block.text.contains("apiVersion:") {
                let complaints = tools.complaints(&block.text);
                assert!(complaints.is_empty(), "{place}: {complaints}");
                objects += 1;
            }
        }
    }
    assert!(
        values > 8 && objects > 0,
        "{values} files of values, {objects} objects"
    );
}
