//! Query strings: pairs of keys and values.

/// The pairs of a query string in their order. A pair with a `;` and one with a broken `%` are as if absent; what is
/// no UTF-8 is repaired.
pub fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    query.unwrap_or_default().split('&').filter_map(|pair| {
        if pair.is_empty() || pair.contains(';') {
            return None;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((unescape(key)?, unescape(value)?))
    })
}

/// Undoes the escaping of a query string; what is no UTF-8 is repaired.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            other => other,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
