//! What servers say and are told in words.

/// OTLP's number of a span's kind, by Jaeger's word for it; 0 for any other.
pub(crate) fn kind_number(name: &str) -> i32 {
    (1..=5)
        .find(|kind| codec::jaeger_encode::kind_name(*kind) == Some(name))
        .unwrap_or(0)
}

/// An error with its causes.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
