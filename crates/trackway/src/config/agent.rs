//! Values of the agent's keys: lists that are written on one line, separated by commas.

use http::{HeaderName, HeaderValue};
use sink::Target;

use super::units::{Setting, items, words};

/// Where collectors are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Collectors(pub Vec<Target>);

impl Setting for Collectors {
    const VALUES: &'static str =
        "addresses separated by commas, such as `collector:4317` or `10.0.0.1:4317, 10.0.0.2:4317`";

    fn parse(text: &str) -> Result<Self, String> {
        items(text)
            .map(Target::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn print(&self) -> String {
        let written: Vec<String> = self.0.iter().map(Target::authority).collect();
        written.join(", ")
    }
}

/// Headers of every call. Their values may be secret, so only the names are shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Headers(pub Vec<(HeaderName, HeaderValue)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.print())
    }
}

impl Setting for Headers {
    const VALUES: &'static str = "headers separated by commas, such as `x-team=shop, x-key=secret`";

    fn parse(text: &str) -> Result<Self, String> {
        let mut headers = Vec::new();
        for (name, value) in pairs(text)? {
            let wrong = || format!("header {name:?} or its value can't stand in a request");
            let key: HeaderName = name.parse().map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.push((key, value));
        }
        Ok(Self(headers))
    }

    fn print(&self) -> String {
        let written: Vec<String> = self
            .0
            .iter()
            .map(|(name, _)| format!("{name}=***"))
            .collect();
        written.join(", ")
    }
}

/// Attributes that resources are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attributes(pub Vec<(String, String)>);

impl Setting for Attributes {
    const VALUES: &'static str = "attributes separated by commas, such as `deployment.environment.name=test, \
                                  cluster=${CLUSTER:none}`";

    fn parse(text: &str) -> Result<Self, String> {
        pairs(text).map(Self)
    }

    fn print(&self) -> String {
        let written: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        written.join(", ")
    }
}

impl Attributes {
    /// With every `${NAME:default}` replaced by the environment's value, as Jaeger's agent has it. One whose variable
    /// is not set and that has no default is left out.
    pub(crate) fn filled(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let fill = |value: &str| {
            let inner = value
                .strip_prefix("${")
                .and_then(|value| value.strip_suffix('}'));
            let Some(inner) = inner else {
                return Some(value.to_owned());
            };
            let (name, default) = match inner.split_once(':') {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (inner, None),
            };
            variable(name).filter(|value| !value.is_empty()).or(default)
        };
        let filled = self
            .0
            .iter()
            .map(|(key, value)| Some((key.clone(), fill(value)?)));
        filled.flatten().collect()
    }
}

/// The name of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostName(pub String);

impl Setting for HostName {
    const VALUES: &'static str = "name such as `collector.example.com`";
    const VALUES_OR_OFF: &'static str = "name such as `collector.example.com`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{text:?} is no name of a server"));
        }
        Ok(Self(name.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

words! {
    /// How requests are compressed.
    pub(crate) enum SendCompression {
        /// Smaller than gzip and cheaper.
        Zstd = "zstd",
        /// As every collector can read it.
        Gzip = "gzip",
        /// Not at all.
        None = "none",
    }
    values = "`zstd`, `gzip` or `none`"
}

words! {
    /// Whether something is done.
    pub(crate) enum Switch {
        /// It is.
        On = "on",
        /// It is not.
        Off = "off",
    }
    values = "`on` or `off`"
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    // The text may be a secret: what is wrong with it is said without it.
    let wrong = |at: usize| format!("item {} has no name and value; write NAME=VALUE", at + 1);
    let pair = |(at, item): (usize, &str)| {
        let (name, value) = item.split_once('=').ok_or_else(|| wrong(at))?;
        match name.trim() {
            "" => Err(wrong(at)),
            name => Ok((name.to_owned(), value.trim().to_owned())),
        }
    };
    items(text).enumerate().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_printed_the_same() {
        let collectors = Collectors::parse("a:1, http://[::1]:2/ ,").unwrap();
        assert_eq!(collectors.print(), "a:1, [::1]:2");
        assert_eq!(Collectors::parse(&collectors.print()).unwrap(), collectors);
        assert!(Collectors::parse("a:1, b").unwrap_err().contains("\"b\""));
        assert_eq!(Collectors::parse(" ").unwrap(), Collectors::default());
    }

    #[test]
    fn values_of_headers_are_never_shown() {
        let headers = Headers::parse("X-Key=secret=1, a=b").unwrap();
        assert_eq!(headers.0[0].1, "secret=1");
        assert_eq!(
            (headers.print(), format!("{headers:?}")),
            ("x-key=***, a=***".to_owned(), headers.print())
        );
        let why = Headers::parse("a=b, secret").unwrap_err();
        assert!(why.contains("item 2") && !why.contains("secret"), "{why}");
        assert!(
            !Headers::parse("a=sec\u{7f}ret")
                .unwrap_err()
                .contains("ret\"")
        );
    }

    #[test]
    fn attributes_are_filled_from_the_environment_as_by_jaeger() {
        let attributes =
            Attributes::parse("a=1, b=${B}, c=${C:no}, d=${D:}, e=${E}, f=${B:x}").unwrap();
        let filled = attributes.filled(|name| (name == "B").then(|| "yes".to_owned()));
        let filled: Vec<(&str, &str)> = filled
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            filled,
            [
                ("a", "1"),
                ("b", "yes"),
                ("c", "no"),
                ("d", ""),
                ("f", "yes")
            ]
        );
    }
}
