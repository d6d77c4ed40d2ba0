//! Faults that are planted on purpose, to show that the tests bite.
//!
//! In every normal build [`planted`] is the constant `false` and costs nothing. In a build with the feature
//! `planted` it is true for the one fault that the environment names in `TRACKWAY_PLANTED`.

/// Tells whether the named fault is switched on.
#[cfg(not(feature = "planted"))]
#[inline(always)]
#[must_use]
pub const fn planted(_fault: &str) -> bool {
    false
}

/// Tells whether the named fault is switched on.
#[cfg(feature = "planted")]
#[must_use]
pub fn planted(fault: &str) -> bool {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    CHOSEN
        .get_or_init(|| std::env::var("TRACKWAY_PLANTED").ok())
        .as_deref()
        == Some(fault)
}
