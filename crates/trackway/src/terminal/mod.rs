//! The terminal: how wide it is, whether it has colours, and text that is safe to show on it.
//!
//! Promises: nothing that a sender put into a span reaches the terminal as a control character.
//!
//! Read next: `escape` (safe text), `waterfall` (a trace), `listing` (traces that were found), `moment` (times).

mod escape;
pub(crate) mod listing;
pub(crate) mod moment;
mod paint;
pub(crate) mod waterfall;

use std::io::IsTerminal;

pub(crate) use escape::{escaped, fitted, width_of};
pub(crate) use paint::{Ink, Paint};

/// The width when nobody says one and the output is no terminal.
const WIDTH_DEFAULT: usize = 100;
/// Less can't hold a tree, a bar and a duration; more can't be read.
const WIDTH_RANGE: std::ops::RangeInclusive<usize> = 40..=400;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the output looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Columns.
    pub width: usize,
    /// Whether there are colours.
    pub paint: Paint,
}

impl Look {
    /// Finds out from the arguments, the environment and the terminal.
    pub(crate) fn of_stdout(choice: ColourChoice, width: Option<usize>) -> Self {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let is_dumb = variable("TERM") == "dumb" || !variable("NO_COLOR").is_empty();
        let is_coloured = match choice {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto => is_terminal && !is_dumb,
        };
        let found = || {
            rustix::termios::tcgetwinsize(&stdout)
                .ok()
                .map(|size| usize::from(size.ws_col))
        };
        let columns = width
            .or_else(|| found().filter(|columns| *columns > 0))
            .unwrap_or(WIDTH_DEFAULT);
        Self {
            width: columns.clamp(*WIDTH_RANGE.start(), *WIDTH_RANGE.end()),
            paint: Paint::new(is_coloured),
        }
    }
}
