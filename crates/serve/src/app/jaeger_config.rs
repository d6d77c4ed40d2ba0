//! A UI configuration as people have it for Jaeger (`ui-config.json`): what the app can do with it, what it ignores.
//!
//! Promises: what is not used is named, so that nobody looks for an effect that never comes; the form that is a program
//! in JavaScript, and what is no JSON, are refused with file, line and what to do.
//! Refuses: addresses that run scripts; running anything of the file.

use serde_json::{Map, Value};

use super::boot::{Boot, LinkKind, LinkTemplate, MenuLink};

/// The largest file that is read, in bytes.
pub const UI_CONFIG_BYTES_MAX: u64 = 1 << 20;
/// Links and entries of the menu that are taken.
const LIST_MAX: usize = 1_000;

/// Why a file is no UI configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}; {fix}")]
pub struct UiConfigError {
    file: String,
    line: usize,
    what: String,
    fix: String,
}

/// What a UI configuration says, as far as it is known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UiConfig {
    links: Vec<LinkTemplate>,
    menu: Vec<MenuLink>,
    pinned_prefixes: Vec<String>,
    search_limit_max: Option<u32>,
    search_lookback_max: Option<String>,
    search_lookback: Option<String>,
    trace_id_digits: Option<u32>,
    is_theme_fixed: bool,
    is_file_upload_off: bool,
    is_json_view_off: bool,
    is_archive_off: bool,
    ignored: Vec<String>,
}

impl UiConfig {
    /// Reads the text of a file; its name is for messages.
    pub fn parse(file: &str, text: &str) -> Result<Self, UiConfigError> {
        let error = |line: usize, what: String, fix: &str| UiConfigError {
            file: file.to_owned(),
            line,
            what,
            fix: fix.to_owned(),
        };
        if let Some(line) = line_of_script(file, text) {
            let what = "this is Jaeger's form that is a program in JavaScript, which is never run"
                .to_owned();
            let fix = "write what its function UIConfig returns as JSON into a file whose name ends with .json";
            return Err(error(line, what, fix));
        }
        let root: Value = serde_json::from_str(text).map_err(|broken| {
            let what = format!("this is no JSON: {broken}");
            let fix = "correct it there; JSON has double quotes, no comments and no comma behind the last item";
            error(broken.line().max(1), what, fix)
        })?;
        let Value::Object(root) = root else {
            let fix = "write {\"menu\": …, \"linkPatterns\": …}";
            return Err(error(1, "this is no object".to_owned(), fix));
        };
        let mut config = Self::default();
        for (key, value) in &root {
            config.take(key, value).map_err(|Wrong { key, needs }| {
                let name = key.rsplit('.').next().unwrap_or(&key);
                let name = name.split('[').next().unwrap_or(name);
                error(
                    line_of(text, name),
                    format!("{key} is not as it must be"),
                    &format!("write {needs}"),
                )
            })?;
        }
        config.ignored.sort_unstable();
        Ok(config)
    }

    /// Tells the page.
    pub fn apply(self, boot: &mut Boot) {
        boot.capabilities.archive &= !self.is_archive_off;
        boot.links = self.links;
        boot.menu = self.menu;
        boot.pinned_prefixes = self.pinned_prefixes;
        boot.search_limit_max = self.search_limit_max;
        boot.search_lookback_max = self.search_lookback_max;
        boot.search_lookback = self.search_lookback;
        boot.trace_id_digits = self.trace_id_digits;
        boot.is_theme_fixed = self.is_theme_fixed;
        boot.is_file_upload_off = self.is_file_upload_off;
        boot.is_json_view_off = self.is_json_view_off;
        boot.ignored_config = self.ignored;
    }

    fn take(&mut self, key: &str, value: &Value) -> Result<(), Wrong> {
        match key {
            "linkPatterns" => self.links = each(key, value, link)?.into_iter().flatten().collect(),
            "menu" => self.menu = each(key, value, menu)?.into_iter().flatten().collect(),
            "topTagPrefixes" => self.pinned_prefixes = each(key, value, text)?,
            "archiveEnabled" => self.is_archive_off = !flag(key, value)?,
            "traceIdDisplayLength" => self.trace_id_digits = Some(number(key, value)?),
            "disableFileUploadControl" => self.is_file_upload_off = flag(key, value)?,
            "disableJsonView" => self.is_json_view_off = flag(key, value)?,
            "search" | "themes" => {
                for (below, value) in object(key, value)? {
                    self.take_below(&format!("{key}.{below}"), value)?;
                }
            }
            _ => self.ignored.push(key.to_owned()),
        }
        Ok(())
    }

    fn take_below(&mut self, key: &str, value: &Value) -> Result<(), Wrong> {
        match key {
            "search.maxLimit" => self.search_limit_max = Some(number(key, value)?),
            "search.maxLookback" => self.search_lookback_max = Some(lookback(key, value)?),
            "search.defaultLookback" => self.search_lookback = Some(lookback(key, value)?),
            "themes.enabled" => self.is_theme_fixed = !flag(key, value)?,
            _ => self.ignored.push(key.to_owned()),
        }
        Ok(())
    }
}

/// A value of another form than its key has.
struct Wrong {
    key: String,
    needs: &'static str,
}

impl Wrong {
    fn new(key: &str, needs: &'static str) -> Self {
        Self {
            key: key.to_owned(),
            needs,
        }
    }
}

/// The line where a program begins, if the text is one: in Jaeger's words a file with the function `UIConfig`.
fn line_of_script(file: &str, text: &str) -> Option<usize> {
    let is_code = |line: &str| {
        let line = line.trim_start();
        !line.is_empty()
            && !line.starts_with("//")
            && !line.starts_with("/*")
            && !line.starts_with('*')
    };
    let (at, first) = text.lines().enumerate().find(|(_, line)| is_code(line))?;
    let is_named = [".js", ".mjs", ".cjs"]
        .iter()
        .any(|ending| file.ends_with(ending));
    let begins = [
        "function",
        "const ",
        "let ",
        "var ",
        "export ",
        "module.",
        "(function",
        "(()",
    ];
    let is_script = begins
        .iter()
        .any(|word| first.trim_start().starts_with(word));
    (is_named || is_script).then_some(at + 1)
}

/// The first line that names a key.
fn line_of(text: &str, key: &str) -> usize {
    let quoted = format!("\"{key}\"");
    let line = text.lines().position(|line| line.contains(&quoted));
    line.unwrap_or(0) + 1
}

fn object<'a>(key: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Wrong> {
    value
        .as_object()
        .ok_or_else(|| Wrong::new(key, "an object: {…}"))
}

fn flag(key: &str, value: &Value) -> Result<bool, Wrong> {
    value
        .as_bool()
        .ok_or_else(|| Wrong::new(key, "true or false"))
}

fn text(key: &str, value: &Value) -> Result<String, Wrong> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Wrong::new(key, "a text in double quotes"))
}

fn number(key: &str, value: &Value) -> Result<u32, Wrong> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    number.ok_or_else(|| Wrong::new(key, "a whole number from 1 on"))
}

fn each<T>(
    key: &str,
    value: &Value,
    read: fn(&str, &Value) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    let items = value.as_array().filter(|items| items.len() <= LIST_MAX);
    let items = items.ok_or_else(|| Wrong::new(key, "a list of up to 1000 items: […]"))?;
    let read = |(at, item): (usize, &Value)| read(&format!("{key}[{at}]"), item);
    items.iter().enumerate().map(read).collect()
}

/// `"2d"`, or Jaeger's `{"label": "2 days", "value": "2d"}`.
fn lookback(key: &str, value: &Value) -> Result<String, Wrong> {
    let given = value
        .get("value")
        .unwrap_or(value)
        .as_str()
        .unwrap_or_default();
    let is_lookback = given
        .strip_suffix(['s', 'm', 'h', 'd', 'w'])
        .is_some_and(|digits| {
            !digits.is_empty()
                && digits.len() < 6
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
    let needs =
        "a number with one of s, m, h, d, w, such as {\"label\": \"2 days\", \"value\": \"2d\"}";
    is_lookback
        .then(|| given.to_owned())
        .ok_or_else(|| Wrong::new(key, needs))
}

fn address(key: &str, value: Option<&Value>) -> Result<String, Wrong> {
    let needs = "an address that begins with http, https or /";
    let given = value.and_then(Value::as_str).map(str::trim);
    let given = given.filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| Wrong::new(&format!("{key}.url"), needs))?;
    // What a template puts in front is seen by the page, which follows no other kinds of address either.
    let scheme = given
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_scheme = |scheme: &str| {
        scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    match scheme {
        Some(scheme)
            if is_scheme(&scheme) && !["http", "https", "mailto"].contains(&scheme.as_str()) =>
        {
            Err(Wrong::new(&format!("{key}.url"), needs))
        }
        _ => Ok(given.to_owned()),
    }
}

/// A pattern is a template for each of its keys; one for all of a trace has none.
fn link(key: &str, value: &Value) -> Result<Vec<LinkTemplate>, Wrong> {
    let pattern = object(key, value)?;
    let kind = match pattern.get("type").and_then(Value::as_str) {
        Some("process" | "resource") => LinkKind::Resource,
        Some("tags" | "attributes") => LinkKind::Attributes,
        Some("logs" | "events") => LinkKind::Events,
        Some("traces") => LinkKind::Traces,
        _ => {
            let needs = "one of process, tags, logs, traces, resource, attributes, events";
            return Err(Wrong::new(&format!("{key}.type"), needs));
        }
    };
    let keys = match pattern.get("key") {
        None | Some(Value::Null) => vec![None],
        Some(Value::String(one)) => vec![Some(one.clone())],
        Some(many) => each(&format!("{key}.key"), many, text)?
            .into_iter()
            .map(Some)
            .collect(),
    };
    let url = address(key, pattern.get("url"))?;
    let label = pattern
        .get("text")
        .and_then(Value::as_str)
        .unwrap_or(&url)
        .to_owned();
    let template = |of: Option<String>| LinkTemplate {
        kind,
        key: of,
        url: url.clone(),
        text: label.clone(),
    };
    Ok(keys.into_iter().map(template).collect())
}

/// An entry, or the entries of a group.
fn menu(key: &str, value: &Value) -> Result<Vec<MenuLink>, Wrong> {
    let entry = object(key, value)?;
    if let Some(items) = entry.get("items") {
        let entries = each(&format!("{key}.items"), items, menu_entry)?;
        return Ok(entries);
    }
    menu_entry(key, value).map(|entry| vec![entry])
}

fn menu_entry(key: &str, value: &Value) -> Result<MenuLink, Wrong> {
    let entry = object(key, value)?;
    let url = address(key, entry.get("url"))?;
    let label = entry.get("label").and_then(Value::as_str).unwrap_or(&url);
    Ok(MenuLink {
        label: label.to_owned(),
        url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Capabilities;

    fn boot_of(text: &str) -> Boot {
        let mut boot = Boot {
            capabilities: Capabilities {
                archive: true,
                ..Capabilities::default()
            },
            ..Boot::default()
        };
        UiConfig::parse("ui-config.json", text)
            .unwrap()
            .apply(&mut boot);
        boot
    }

    fn refused(file: &str, text: &str) -> String {
        UiConfig::parse(file, text).unwrap_err().to_string()
    }

    #[test]
    fn what_jaeger_s_documentation_shows_is_understood() {
        let boot = boot_of(
            r##"{
  "dependencies": {"dagMaxNumServices": 200, "menuEnabled": true},
  "monitor": {"menuEnabled": true},
  "archiveEnabled": false,
  "tracking": {"gaID": "UA-000000-2"},
  "menu": [
    {"label": "About Jaeger", "items": [
      {"label": "GitHub", "url": "https://github.com/jaegertracing/jaeger"},
      {"label": "Docs", "url": "http://jaeger.readthedocs.io/en/latest/"}
    ]},
    {"label": "Wiki", "url": "/wiki", "anchorTarget": "_self"}
  ],
  "search": {"maxLookback": {"label": "2 Days", "value": "2d"}, "maxLimit": 1500, "adjustEndTime": "1m"},
  "linkPatterns": [
    {"type": "process", "key": "jaeger.version", "url": "https://github.com/releases/tag/#{jaeger.version}", "text": "Information about #{jaeger.version}"},
    {"type": "tags", "key": ["a", "b"], "url": "#{b}?x", "text": "both"},
    {"type": "traces", "url": "/logs?trace=#{traceID}", "text": "Logs"}
  ],
  "topTagPrefixes": ["http."],
  "traceIdDisplayLength": 16,
  "themes": {"enabled": false},
  "disableFileUploadControl": true,
  "disableJsonView": true
}"##,
        );
        let labels: Vec<&str> = boot.menu.iter().map(|entry| entry.label.as_str()).collect();
        assert_eq!(labels, ["GitHub", "Docs", "Wiki"]);
        let links: Vec<(LinkKind, Option<&str>)> = boot
            .links
            .iter()
            .map(|link| (link.kind, link.key.as_deref()))
            .collect();
        let expected = [
            (LinkKind::Resource, Some("jaeger.version")),
            (LinkKind::Attributes, Some("a")),
            (LinkKind::Attributes, Some("b")),
            (LinkKind::Traces, None),
        ];
        assert_eq!(links, expected);
        assert_eq!(boot.pinned_prefixes, ["http."]);
        assert_eq!(
            (boot.search_limit_max, boot.trace_id_digits),
            (Some(1_500), Some(16))
        );
        assert_eq!(boot.search_lookback_max.as_deref(), Some("2d"));
        assert!(boot.is_theme_fixed && boot.is_file_upload_off && boot.is_json_view_off);
        assert!(!boot.capabilities.archive);
        assert_eq!(
            boot.ignored_config,
            [
                "dependencies",
                "monitor",
                "search.adjustEndTime",
                "tracking"
            ]
        );
    }

    #[test]
    fn an_empty_configuration_changes_nothing() {
        let boot = boot_of("{}");
        assert!(
            boot.capabilities.archive && boot.ignored_config.is_empty() && boot.links.is_empty()
        );
    }

    #[test]
    fn the_form_that_is_a_program_is_refused_with_its_line() {
        let script = "// A comment\n\nfunction UIConfig() {\n  return {};\n}\n";
        for (file, text) in [("ui.json", script), ("ui.js", "// c\n\n() => ({})")] {
            let told = refused(file, text);
            assert!(told.starts_with(&format!("{file}, line 3: ")), "{told}");
            assert!(
                told.contains("JavaScript") && told.contains("UIConfig returns"),
                "{told}"
            );
        }
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_breaks() {
        let told = refused("ui.json", "{\n  \"menu\": [],\n}\n");
        assert!(
            told.starts_with("ui.json, line 3: this is no JSON"),
            "{told}"
        );
        assert!(told.contains("no comma behind the last item"), "{told}");
        assert!(refused("ui.json", "").contains("line 1"));
        assert!(refused("ui.json", "[]").contains("no object"));
    }

    #[test]
    fn values_of_another_form_are_refused_with_key_and_line() {
        for (text, key, line) in [
            ("{\n\"menu\": {}}", "menu is", 2),
            (
                "{\"search\": {\n\"maxLimit\": \"x\"}}",
                "search.maxLimit is",
                2,
            ),
            ("{\"search\": {\"maxLimit\": 0}}", "search.maxLimit is", 1),
            (
                "{\"search\": {\"maxLookback\": {\"value\": \"2 days\"}}}",
                "search.maxLookback is",
                1,
            ),
            ("{\"archiveEnabled\": 1}", "archiveEnabled is", 1),
            ("{\"topTagPrefixes\": [1]}", "topTagPrefixes[0] is", 1),
            (
                "{\"linkPatterns\": [{\"type\": \"x\"}]}",
                "linkPatterns[0].type is",
                1,
            ),
            (
                "{\"linkPatterns\": [{\"type\": \"tags\",\n\"url\": \"JavaScript:alert(1)\"}]}",
                "linkPatterns[0].url is",
                2,
            ),
            (
                "{\"menu\": [{\"label\": \"x\", \"url\": \"data:text/html,x\"}]}",
                "menu[0].url is",
                1,
            ),
            (
                "{\"menu\": [{\"items\": [{\"label\": \"x\"}]}]}",
                "menu[0].items[0].url is",
                1,
            ),
        ] {
            let told = refused("c.json", text);
            assert!(
                told.starts_with(&format!("c.json, line {line}: {key}")),
                "{told}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "[{}\\[\\]\":,a-z0-9 \n#]{0,60}|.{0,80}") {
            let _read = UiConfig::parse("f", &text);
        }
    }
}
