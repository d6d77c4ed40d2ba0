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

impl Block {
    /// The files that commands write, and what they give to `kubectl apply -f -`; variables are some word.
    fn documents(&self) -> Vec<String> {
        let (mut found, mut open) = (Vec::new(), None::<String>);
        for line in self.text.lines() {
            let begins = line.ends_with("<<EOF") || line.ends_with("<<'EOF'");
            match &mut open {
                None if begins => open = Some(String::new()),
                None => {}
                Some(_) if line == "EOF" => found.extend(open.take()),
                Some(text) => text.push_str(&format!("{}\n", without_variables(line))),
            }
        }
        assert!(open.is_none(), "a document has no end: {}", self.text);
        found
    }

    /// What the commands that install the chart set beside their files, as flags.
    fn flags(&self) -> Vec<String> {
        let joined = self.text.replace("\\\n", " ");
        let installs =
            |line: &&str| line.contains("deploy/helm/trackway") && line.contains("helm ");
        let mut found = Vec::new();
        for line in joined.lines().filter(installs) {
            let mut words = line.split_whitespace();
            while let Some(word) = words.next() {
                if word == "--set" || word == "--set-string" {
                    let what = words.next().unwrap_or_default();
                    let what = without_variables(&what.replace(['"', '\''], ""));
                    found.extend([word.to_owned(), what]);
                }
            }
        }
        found
    }
}

/// Some word stands where a variable of the shell stood.
fn without_variables(line: &str) -> String {
    let mut done = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('$') {
        done.push_str(before);
        done.push('w');
        let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        rest = behind.trim_start_matches(is_of_name);
    }
    done + rest
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
    let (mut values, mut objects, mut flags) = (0, 0, 0);
    for page in PAGES {
        for block in blocks(page) {
            let place = format!("{page}:{}", block.line);
            let (documents, of_commands) = match block.language.as_str() {
                "yaml" => (vec![block.text.clone()], Vec::new()),
                "sh" => (block.documents(), block.flags()),
                _ => continue,
            };
            let is_taken = |text: &str, more: &[String]| {
                let chart = tools.chart();
                // Over those of the walk-through, or alone where they say where spans are kept.
                let alone = text.contains("storage:");
                let base = if alone { "{}" } else { tutorial.as_str() };
                let Ran { is_well, said } = tools.with_files(&[base, text], |files| {
                    let mut all = vec!["template", "jaeger", chart.to_str().unwrap()];
                    all.extend(["-f", &files[0], "-f", &files[1]]);
                    all.extend(more.iter().map(String::as_str));
                    tools.helm(&all)
                });
                assert!(is_well, "{place}: {said}");
                let complaints = tools.complaints(&said);
                assert!(complaints.is_empty(), "{place}: {complaints}");
            };
            for text in documents {
                if text.contains("# values: ") {
                    is_taken(&text, &[]);
                    values += 1;
                } else if text.contains("apiVersion:") {
                    let complaints = tools.complaints(&text);
                    assert!(complaints.is_empty(), "{place}: {complaints}");
                    objects += 1;
                }
            }
            if !of_commands.is_empty() {
                is_taken("{}", &of_commands);
                flags += 1;
            }
        }
    }
    assert!(
        values > 16 && objects > 2 && flags > 1,
        "{values} files of values, {objects} objects, {flags} commands with values"
    );
}
