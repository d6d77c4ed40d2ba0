//! The write-ahead log, and the seam through which the store touches files.
//!
//! Promises
//! - A frame whose append returned `Ok` is found again by [`Journal::open`], once and in order, after the death of
//!   the process and (level [`Level::Sync`]) of the machine.
//! - A frame that was not acknowledged is wholly there or wholly absent.
//! - Damage is skipped, counted and reported; it never stops the start and never yields a wrong payload.
//!
//! Refuses
//! - To sync a file again after a failed sync: the kernel may have dropped the pages.
//! - Journal files written by a newer version.
//!
//! Read next: [`Files`] for the seam, `frame.rs` for the bytes, `replay.rs` for recovery, `writer.rs` for failures,
//! `reader.rs` for reading while others write.

mod error;
mod files;
mod frame;
mod reader;
mod replay;
mod report;
mod scan;
mod spares;
mod writer;

pub use error::{Error, ErrorKind, VisitError};
pub use files::{
    Entry, Fault, FaultScope, File, Files, Lock, OpenMode, RealFiles, SimFiles, Space,
    read_exact_at, read_to_end, write_file_durably,
};
pub use frame::{FRAME_PAYLOAD_BYTES_MAX, Frame, FrameKind, NewFrame, TENANT_NAME_BYTES_MAX};
pub use reader::{Cursor, ReadOn};
pub use report::{Damage, DamageKind, ReplayReport, TornTail};
pub use spares::{Spare, SpareTask};
pub use writer::{Journal, Level, Options, Stats};
