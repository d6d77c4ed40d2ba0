//! Who is let in: TLS and mTLS with stock exporters, passwords and tokens, tenants.

mod authority;
mod credentials;
mod tenants;
mod tls;

use std::time::Duration;

/// Longer than it takes until changed files are seen.
const RELOADED_MAX: Duration = Duration::from_secs(40);

/// `--set KEY=VALUE` for each.
fn sets(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")])
        .collect()
}

fn borrowed(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}
