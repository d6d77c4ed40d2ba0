//! The journal and the seam to files, from the outside: crashes, planned failures, damage, real files, format.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the tests count to some thousands"
)]
#![allow(
    clippy::single_range_in_vec_init,
    reason = "gaps are lists of ranges, here of one"
)]

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod read_on;
#[cfg(test)]
mod real_files;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod simulated_files;
