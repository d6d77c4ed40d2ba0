//! The allocator: gives memory back soon after a burst, and keeps threads out of each other's way.
//!
//! Freed memory is kept for a second by default, in case it is wanted again. What is written and merged in that second
//! comes on top of it, for hardly any gain: a million spans took 264 MiB with a second, 184 with 10 ms and 158 with
//! none, and 3 % more time in the kernel with 10 ms. `MIMALLOC_PURGE_DELAY` in the environment says otherwise.
//!
//! Pages of two MiB are not used: a thread that needs a few KiB has all of it, and what is freed in between is not
//! given back. An idle program takes 15 MiB without them and 23 with them. The allocator is built not to ask for them
//! (`no_thp`), for what is allocated before `main` would have two by then: 3.4 MiB. Where the system gives them unasked
//! (`transparent_hugepage/enabled` is `always`), those two may remain.

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long freed memory is kept.
const PURGE_DELAY_MILLIS: c_long = 10;
/// The number of the option in `mimalloc.h`.
const PURGE_DELAY: c_int = 15;

#[allow(unsafe_code, reason = "the allocator's options have no other door")]
mod options {
    use super::{c_int, c_long};

    unsafe extern "C" {
        // SAFETY: both read and write a table of numbers, for any number of an option.
        pub(super) safe fn mi_option_set_default(option: c_int, value: c_long);
        #[cfg(test)]
        pub(super) safe fn mi_option_get(option: c_int) -> c_long;
    }
}

/// Makes freed memory go back soon, in pieces of a page. To be called before there are threads.
pub(crate) fn give_back_soon() {
    options::mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MILLIS);
    // Where it can't be said, memory is used more freely, and all works.
    let _as_it_is = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_kept_for_a_moment_only() {
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_some() {
            return;
        }
        // No other option is a second by default, so it is the right one.
        assert_eq!(options::mi_option_get(PURGE_DELAY), 1_000);
        give_back_soon();
        assert_eq!(options::mi_option_get(PURGE_DELAY), PURGE_DELAY_MILLIS);
    }
}
