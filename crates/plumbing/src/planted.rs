//! Faults that are planted on purpose, to show that the tests bite.
//!
//! In what is shipped [`planted`] is `false` and costs nothing. In builds with debug assertions, as tests run them, it
//! is true for the one fault that the environment names in `TRACKWAY_PLANTED`.

use std::sync::LazyLock;

/// Tells whether the named fault is switched on.
#[inline]
#[must_use]
pub fn planted(fault: &str) -> bool {
    static CHOSEN: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("TRACKWAY_PLANTED").ok());
    cfg!(debug_assertions) && CHOSEN.as_deref() == Some(fault)
}
