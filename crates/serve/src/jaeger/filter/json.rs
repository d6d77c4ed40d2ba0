//! The JSON of a filter, as protobuf writes messages: unknown members are mistakes, `null` is as if absent.

use codec::generated::jaeger::expression::v1::expression::Term;
use codec::generated::jaeger::expression::v1::{
    AttributeReference, Call, Expression, FieldReference, List, NestedReference, Scalar,
};
use serde_json::{Map, Value};

use super::{CALLS_DEEP_MAX, too_deep};

/// Reads the JSON of a filter.
pub(in crate::jaeger) fn parse(text: &str) -> Result<Call, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    call_of(&value, 1)
}

fn call_of(value: &Value, depth: usize) -> Result<Call, String> {
    if depth > CALLS_DEEP_MAX {
        return Err(too_deep());
    }
    let members = members_of(value, "call", &["op", "args"])?;
    let args = match members.get("args") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(args)) => args
            .iter()
            .map(|arg| expression_of(arg, depth))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err("\"args\" is no list".to_owned()),
    };
    Ok(Call {
        op: text_of(members, "op")?,
        args,
    })
}

fn expression_of(value: &Value, depth: usize) -> Result<Expression, String> {
    let kinds = ["attr", "field", "nested", "scalar", "list", "call"];
    let members = members_of(value, "expression", &kinds)?;
    let mut given = members.iter().filter(|(_, value)| !value.is_null());
    let (Some((kind, value)), None) = (given.next(), given.next()) else {
        return Err(format!(
            "an argument is exactly one of {}",
            kinds.join(", ")
        ));
    };
    let term = match kind.as_str() {
        "attr" => {
            let members = members_of(value, "attr", &["key", "level"])?;
            Term::Attr(AttributeReference {
                key: text_of(members, "key")?,
                level: text_of(members, "level")?,
            })
        }
        "field" => {
            let members = members_of(value, "field", &["name", "level"])?;
            Term::Field(FieldReference {
                name: text_of(members, "name")?,
                level: text_of(members, "level")?,
            })
        }
        "nested" => Term::Nested(NestedReference {
            level: text_of(members_of(value, "nested", &["level"])?, "level")?,
        }),
        "scalar" => {
            let members = members_of(value, "scalar", &["value", "type"])?;
            Term::Scalar(Scalar {
                value: text_of(members, "value")?,
                r#type: text_of(members, "type")?,
            })
        }
        "list" => {
            let members = members_of(value, "list", &["values", "type"])?;
            let values = match members.get("values") {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(values)) => values
                    .iter()
                    .map(|value| match value {
                        Value::String(text) => Ok(text.clone()),
                        _ => Err("a value of a list is no text".to_owned()),
                    })
                    .collect::<Result<_, _>>()?,
                Some(_) => return Err("\"values\" is no list".to_owned()),
            };
            Term::List(List {
                values,
                r#type: text_of(members, "type")?,
            })
        }
        _ => Term::Call(call_of(value, depth + 1)?),
    };
    Ok(Expression { term: Some(term) })
}

fn members_of<'a>(
    value: &'a Value,
    what: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let Value::Object(members) = value else {
        return Err(format!("a {what} is no JSON object"));
    };
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown field {key:?} of a {what}")),
        None => Ok(members),
    }
}

fn text_of(members: &Map<String, Value>, key: &str) -> Result<String, String> {
    match members.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("{key:?} is no text")),
    }
}
