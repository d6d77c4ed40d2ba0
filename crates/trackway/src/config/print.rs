//! Prints the configuration for people: the effective values with their sources, one key in full, the whole reference.
//!
//! Promises: what [`show`] prints is a configuration file that means the same.

use super::node::{Entry, KeyEntry};
use super::{Settings, suggestion, variable_name};

/// The column in which the sources stand.
const SOURCE_COLUMN: usize = 36;

/// The effective configuration as YAML; a comment behind each value names its source.
pub(crate) fn show(settings: &Settings) -> String {
    let mut text = String::new();
    for entry in settings.entries() {
        let depth = entry.path.matches('.').count();
        let name = entry.path.rsplit('.').next().unwrap_or_default();
        let indent = "  ".repeat(depth);
        let line = match &entry.key {
            None => format!("{indent}{name}:"),
            Some(key) if key.is_list => list(&format!("{indent}{name}:"), key, settings, &entry),
            Some(key) => {
                let set = format!("{indent}{name}: {}", yaml_scalar(&key.value));
                format!("{set:SOURCE_COLUMN$} # {}", settings.origin(&entry.path))
            }
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// A list as YAML, each item on a line of its own.
fn list(name: &str, key: &KeyEntry, settings: &Settings, entry: &Entry) -> String {
    let origin = settings.origin(&entry.path);
    let items: Vec<serde_json::Value> = serde_json::from_str(&key.value).unwrap_or_default();
    if items.is_empty() {
        return format!("{:SOURCE_COLUMN$} # {origin}", format!("{name} []"));
    }
    let lines = items.iter().map(|item| format!("\n  - {item}"));
    let lines: String = lines.collect();
    format!("{name:SOURCE_COLUMN$} # {origin}{lines}")
}

/// Quotes what YAML would not read as the same text.
pub(super) fn yaml_scalar(text: &str) -> String {
    let begins_plain =
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_'));
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '%' | ',' | '=' | '+')
    };
    // A colon inside is plain only when no blank follows; times such as 1:30 were numbers in YAML 1.1.
    if begins_plain && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

/// Everything about one key, or the keys of a section.
pub(crate) fn explain(settings: &Settings, path: &str) -> Result<String, String> {
    let entries = settings.entries();
    let Some(entry) = entries.iter().find(|entry| entry.path == path) else {
        return Err(format!("no key {path:?}{}", suggestion(path)));
    };
    let mut text = format!("{path}\n\n");
    for line in wrap(&entry.about, 76) {
        text.push_str(&format!("  {line}\n"));
    }
    text.push('\n');
    match &entry.key {
        Some(key) => explain_key(settings, entry, key, &mut text),
        None => explain_section(&entries, path, &mut text),
    }
    Ok(text)
}

fn explain_key(settings: &Settings, entry: &Entry, key: &KeyEntry, text: &mut String) {
    let default = default_of(settings, &entry.path);
    let rows = [
        (
            "value",
            format!("{} ({})", key.value, settings.origin(&entry.path)),
        ),
        ("default", default),
        ("takes", key.values.replace('`', "")),
        ("variable", variable_name(&entry.path)),
        ("flag", format!("--set {}={}", entry.path, key.value)),
    ];
    for (name, value) in rows {
        text.push_str(&format!("  {name:10}{value}\n"));
    }
}

fn explain_section(entries: &[Entry], path: &str, text: &mut String) {
    let prefix = format!("{path}.");
    for entry in entries
        .iter()
        .filter(|entry| entry.path.starts_with(&prefix))
    {
        if let Some(key) = &entry.key {
            text.push_str(&format!("  {} = {}\n", entry.path, key.value));
        }
    }
}

fn default_of(settings: &Settings, path: &str) -> String {
    let entries = settings.default_entries();
    let entry = entries.into_iter().find(|entry| entry.path == path);
    entry
        .and_then(|entry| entry.key)
        .map(|key| key.value)
        .unwrap_or_default()
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

const REFERENCE_HEAD: &str = "\
# Configuration

Trackway works without any configuration. What is set is set in one tree of keys, from four sources; the later wins:

1. the defaults below,
2. a YAML file: `trackway --config trackway.yaml`, or the variable `TRACKWAY_CONFIG`,
3. environment variables: the key's path in capitals, `__` between its parts, behind `TRACKWAY_`:
   `TRACKWAY_STORE__RETENTION__AGE=30d`,
4. flags: `--set store.retention.age=30d`, and the shorter ones of `trackway --help`.

`trackway config show` prints the effective values with the source of each, `trackway config check FILE` looks for
mistakes, `trackway config explain KEY` tells about one key. An unknown key is a mistake, and so is a size or a duration
without its unit. Every change needs a restart.

<!-- Made from the table of keys in crates/trackway/src/config/tree.rs: UPDATE=1 cargo test -p trackway -->
";

/// The reference of all keys in Markdown.
pub(crate) fn reference() -> String {
    const TABLE: &str = "\n| Key | Default | Takes | |\n|---|---|---|---|\n";
    let mut text = REFERENCE_HEAD.to_owned();
    for Entry { path, about, key } in Settings::default().entries() {
        let line = match &key {
            None => format!("\n## {path}\n\n{about}\n{TABLE}"),
            Some(key) => {
                // A key that is in no section has a heading of its own.
                let head = match path.contains('.') {
                    true => String::new(),
                    false => format!("\n## {path}\n{TABLE}"),
                };
                let about = about.replace('|', "\\|");
                format!(
                    "{head}| `{path}` | `{}` | {} | {about} |\n",
                    key.value, key.values
                )
            }
        };
        text.push_str(&line);
    }
    text
}
