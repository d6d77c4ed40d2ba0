//! The seam to files: one trait, the real implementation and the simulated one.

mod real;
mod seam;
mod simulated;
mod simulated_disk;

pub use real::RealFiles;
pub use seam::{
    Entry, File, Files, Lock, OpenMode, Space, read_exact_at, read_to_end, write_file_durably,
};
pub use simulated::SimFiles;
pub use simulated_disk::{Fault, FaultScope};
