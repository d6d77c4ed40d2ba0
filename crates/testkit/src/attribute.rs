//! One attribute of a span, resource, scope, event or link, from a plain Rust value.
//!
//! [`attribute`] takes whatever converts into an [`AttributeValue`]: text, integers, floats, truth values and bytes;
//! [`array`] and [`map`] nest them. `AttributeValue::default()` is the value that is present and holds nothing.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value,
};

/// A typed attribute value on its way into an OTLP message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttributeValue(AnyValue);

impl AttributeValue {
    /// Gives the OTLP message.
    #[must_use]
    pub fn into_any_value(self) -> AnyValue {
        self.0
    }
}

impl From<Value> for AttributeValue {
    fn from(value: Value) -> Self {
        Self(AnyValue { value: Some(value) })
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Value::StringValue(text.to_owned()).into()
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Value::StringValue(text).into()
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Value::IntValue(number).into()
    }
}

impl From<f64> for AttributeValue {
    fn from(number: f64) -> Self {
        Value::DoubleValue(number).into()
    }
}

impl From<bool> for AttributeValue {
    fn from(truth: bool) -> Self {
        Value::BoolValue(truth).into()
    }
}

impl From<Vec<u8>> for AttributeValue {
    fn from(bytes: Vec<u8>) -> Self {
        Value::BytesValue(bytes).into()
    }
}

/// Gives an attribute with this key and typed value.
pub fn attribute(key: impl Into<String>, value: impl Into<AttributeValue>) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(value.into().into_any_value()),
        ..Default::default()
    }
}

/// Gives an array value, elements in the given order.
pub fn array(values: impl IntoIterator<Item = AttributeValue>) -> AttributeValue {
    let values = values
        .into_iter()
        .map(AttributeValue::into_any_value)
        .collect();
    Value::ArrayValue(ArrayValue { values }).into()
}

/// Gives a map value, entries in the given order, repeated keys kept.
pub fn map<K: Into<String>>(
    entries: impl IntoIterator<Item = (K, AttributeValue)>,
) -> AttributeValue {
    let values = entries
        .into_iter()
        .map(|(key, value)| attribute(key, value))
        .collect();
    Value::KvlistValue(KeyValueList { values }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_type_of_every_value() {
        let value = |v: AttributeValue| v.into_any_value().value.unwrap();
        assert_eq!(value("a".into()), Value::StringValue("a".into()));
        assert_eq!(
            value(String::from("a").into()),
            Value::StringValue("a".into())
        );
        assert_eq!(value(1i64.into()), Value::IntValue(1));
        assert_eq!(value(1.0.into()), Value::DoubleValue(1.0));
        assert_eq!(value(true.into()), Value::BoolValue(true));
        assert_eq!(value(vec![7u8].into()), Value::BytesValue(vec![7]));
        assert_eq!(AttributeValue::default().into_any_value().value, None);
    }

    #[test]
    fn nests_arrays_and_maps_in_order() {
        let nested = map([
            ("b", array([1i64.into(), "x".into()])),
            ("a", AttributeValue::default()),
        ]);
        let Some(Value::KvlistValue(list)) = nested.into_any_value().value else {
            panic!("not a map")
        };
        let keys: Vec<&str> = list.values.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["b", "a"]);
        let Some(Value::ArrayValue(inner)) = list.values[0].value.clone().and_then(|v| v.value)
        else {
            panic!("not an array")
        };
        assert_eq!(inner.values.len(), 2);
    }
}
