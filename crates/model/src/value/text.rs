//! Values as text: the canonical text that searches by text compare with, and that Jaeger's API shows.
//!
//! Arrays and maps become compact JSON: keys sorted by bytes, the last of equal keys, bytes as base64, nothing as
//! `null`, numbers as JavaScript writes them.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Value;

impl Value {
    /// The value as text; see the module.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::String(text) => text.clone(),
            Self::Bytes(bytes) => STANDARD.encode(bytes),
            Self::Bool(_) | Self::Int(_) | Self::Double(_) | Self::Array(_) | Self::Map(_) => {
                let mut out = String::new();
                write_json(self, &mut out);
                out
            }
        }
    }
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Empty => out.push_str("null"),
        Value::String(text) => write_json_text(text, out),
        Value::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
        Value::Int(int) => out.push_str(&int.to_string()),
        Value::Double(double) if double.is_finite() => out.push_str(&number_text(*double)),
        Value::Double(double) => write_json_text(&number_text(*double), out),
        Value::Bytes(bytes) => write_json_text(&STANDARD.encode(bytes), out),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(value, out);
            }
            out.push(']');
        }
        Value::Map(pairs) => {
            let sorted: BTreeMap<&str, &Value> = pairs
                .iter()
                .map(|(key, value)| (key.as_str(), value))
                .collect();
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json_text(key, out);
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
    }
}

fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // What JavaScript takes for line ends is escaped, as Go's encoder does.
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String can't fail.
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// A double as JavaScript and Go's JSON write it: no point where it is whole, an exponent from 1e21 up and below
/// 1e-6, `-0`; `NaN`, `Infinity` and `-Infinity` for what is no number.
#[must_use]
pub fn number_text(double: f64) -> String {
    if double.is_nan() {
        return "NaN".to_owned();
    }
    if double.is_infinite() {
        return if double > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let size = double.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{double:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    format!("{double}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_json_writes_them() {
        let cases = [
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, text) in cases {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn maps_are_sorted_and_the_last_of_equal_keys_wins() {
        let pairs = vec![
            ("b".into(), Value::Int(1)),
            (
                "a".into(),
                Value::Array(vec![
                    Value::Empty,
                    Value::Bytes(vec![255]),
                    Value::String("<\"&\u{1}>".into()),
                ]),
            ),
            ("b".into(), Value::Double(1.0)),
        ];
        assert_eq!(
            Value::Map(pairs).canonical_text(),
            r#"{"a":[null,"/w==","<\"&\u0001>"],"b":1}"#
        );
    }
}
