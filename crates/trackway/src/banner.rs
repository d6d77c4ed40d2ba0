//! What a person at a terminal reads when the program is ready: what is served where, and what to do next.
//!
//! Promises: at most 20 lines; nothing is promised that the configuration does not.

use crate::backend::{data_place, promise};
use crate::config::{Acknowledge, Config, OrOff, Setting, SizeOrShare};
use crate::gates::Gates;
use crate::listen::Addresses;

/// Where `trackway services` and its like ask.
const QUERY_PORT: u16 = 16686;

/// The text.
pub(crate) fn banner(
    config: &Config,
    gates: &Gates,
    addresses: &Addresses,
    is_demo: bool,
) -> String {
    let mut lines = vec![
        format!("Trackway {} is ready.", env!("CARGO_PKG_VERSION")),
        String::new(),
    ];
    let url = |name: &str| url_of(gates, addresses, name);
    let rows = [
        ("send traces to", "otlp_grpc", "", "OTLP over gRPC"),
        ("", "otlp_http", "/v1/traces", "OTLP over HTTP"),
        (
            "read them at",
            "query_http",
            "/api/services",
            "Jaeger's HTTP API",
        ),
        ("", "query_grpc", "", "Jaeger's gRPC API"),
        ("watch it at", "admin", "/metrics", "metrics, /ready, /live"),
        ("", "health", "/status", "health"),
    ];
    for (what, name, path, kind) in rows {
        if let Some(url) = url(name) {
            lines.push(format!("  {what:16}{:<40} {kind}", format!("{url}{path}")));
        }
    }
    lines.push(format!(
        "  {:16}{}, {}",
        "data in",
        data_place(config),
        kept_for(config)
    ));
    lines.push(format!("  {:16}{}", "accepted means", promise(config)));
    lines.push(String::new());
    if let Some(url) = url("otlp_http") {
        lines.push(format!(
            "Next: OTEL_EXPORTER_OTLP_ENDPOINT={url} for an application with OpenTelemetry,"
        ));
        lines.push(match is_demo {
            true => "      or just wait for the demonstration's traffic; then".to_owned(),
            false => "      or `trackway generate` for sample traffic; then".to_owned(),
        });
    }
    // The commands ask the usual port unless they are told.
    let server = match url("query_http") {
        Some(url) if !url.ends_with(&format!(":{QUERY_PORT}")) => {
            format!(" (each with --server {url})")
        }
        _ => String::new(),
    };
    let commands = "trackway services · trackway search --service NAME · trackway trace ID";
    lines.push(format!("      {commands}{server}"));
    lines.push("Stop with Ctrl-C.".to_owned());
    lines.join("\n") + "\n"
}

/// Where a listener is reached from this machine.
fn url_of(gates: &Gates, addresses: &Addresses, name: &str) -> Option<String> {
    let scheme = match gates.speaks_tls(name) {
        true => "https",
        false => "http",
    };
    let found = addresses.iter().find(|(known, _)| *known == name);
    found.map(|(_, address)| match address.ip() {
        // All addresses: the one that works here.
        ip if ip.is_loopback() || ip.is_unspecified() => {
            format!("{scheme}://localhost:{}", address.port())
        }
        _ => format!("{scheme}://{address}"),
    })
}

/// What to do next, in one line, for those who read the log and not the banner.
pub(crate) fn next_step(gates: &Gates, addresses: &Addresses) -> Option<String> {
    let url = url_of(gates, addresses, "otlp_http")?;
    Some(format!(
        "next: send traces with OTEL_EXPORTER_OTLP_ENDPOINT={url} or `trackway generate --to {url}`; look at them \
         with `trackway services`, `trackway search --service NAME`, `trackway trace ID`"
    ))
}

fn kept_for(config: &Config) -> String {
    let retention = &config.store.retention;
    match (retention.age, retention.bytes) {
        (OrOff::Off, OrOff::Off) => "kept for ever".to_owned(),
        (OrOff::On(age), OrOff::Off) => format!("kept for {}", age.print()),
        (OrOff::Off, OrOff::On(bytes)) => format!("kept until it takes {}", room(bytes)),
        (OrOff::On(age), OrOff::On(bytes)) => {
            format!("kept for {} or until it takes {}", age.print(), room(bytes))
        }
    }
}

fn room(bytes: SizeOrShare) -> String {
    match bytes {
        SizeOrShare::Bytes(bytes) => bytes.print(),
        SizeOrShare::Percent(percent) => format!("{percent}% of the disk"),
    }
}

/// What a sender may rely on.
pub(crate) fn accepted_means(level: Acknowledge) -> &'static str {
    match level {
        Acknowledge::Sync => "on the disk (sync): a power cut loses nothing",
        Acknowledge::PageCache => {
            "with the operating system (page_cache): a power cut may lose spans"
        }
        Acknowledge::Memory => "in memory (memory): ANY CRASH LOSES SPANS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_everything_is_in_at_most_20_lines() {
        let names = [
            "otlp_grpc",
            "otlp_http",
            "query_http",
            "query_grpc",
            "admin",
            "health",
        ];
        let addresses: Addresses = names
            .into_iter()
            .zip([4317, 4318, 16686, 16685, 14269, 13133])
            .map(|(name, port)| (name, std::net::SocketAddr::from(([127, 0, 0, 1], port))))
            .collect();
        let text = banner(&Config::default(), &Gates::open(), &addresses, false);
        assert!(text.lines().count() <= 20);
        crate::golden::assert_golden("banner.txt", &text);
    }

    #[test]
    fn says_nothing_of_a_listener_that_is_off() {
        let text = banner(&Config::default(), &Gates::open(), &Vec::new(), true);
        assert!(
            !text.contains("http://") && !text.contains("OTEL_EXPORTER"),
            "{text}"
        );
    }
}
