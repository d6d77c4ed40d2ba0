//! The program's own log: text on a terminal, JSON otherwise, on standard error; panics are in it too.
//!
//! Promises: control characters in logged text are written out (the text format escapes them, JSON must).

use std::backtrace::Backtrace;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// What a library says of each broker or server is said by us where it matters; whoever names it in `log.level`
/// hears all.
const QUIET: &str = "krafka=error,scylla=error";

/// Begins to log; a second call does nothing.
pub(crate) fn begin(settings: &Settings) {
    let config = &settings.config;
    // The configuration was checked: what the filter still refuses falls back to its own default.
    let directives = format!("{QUIET},{}", config.log.level.directives());
    let filter = EnvFilter::try_new(directives).unwrap_or_default();
    let is_terminal = std::io::stderr().is_terminal();
    let is_text = match config.log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let begun = if is_text {
        builder.with_ansi(is_terminal && !no_color).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    };
    if begun.is_ok() {
        log_panics();
    }
    if !settings.unheeded.is_empty() {
        tracing::warn!(
            variables = settings.unheeded.join(", "),
            "these variables of a Jaeger mean nothing here; `trackway config show` lists what those that do set"
        );
    }
}

fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let words = payload.downcast_ref::<&str>().copied();
        let words = words
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no words");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let thread = std::thread::current()
            .name()
            .unwrap_or("unnamed")
            .to_owned();
        let backtrace = Backtrace::force_capture();
        tracing::error!(error = words, place, thread, %backtrace, "panic; this is a fault of ours, please report it");
    }));
}
