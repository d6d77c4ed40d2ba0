//! The language of questions: the selection part of TraceQL, from its text to what a store is asked.
//!
//! Promises
//! - [`parse`] reads any text without a panic, in bounds, and says what is wrong where, with what to write instead.
//! - Printing a query and parsing it again gives the same tree; so does taking it apart into [`chips()`].
//! - [`lower`] never misses a span: its predicate holds for every span that the query holds for, and for no other
//!   where it says that it is exact. [`Judge`] tells the rest, on a whole trace.
//!
//! ```
//! let parsed = traceql::parse("{ resource.service.name = 'cart' && duration > 1s }");
//! let proposal = parsed.diagnostics[0].proposal.as_ref().unwrap();
//! assert_eq!(proposal.text, "\"cart\"");
//! let query = traceql::parse("{ resource.service.name = \"cart\" && duration > 1s }").query.unwrap();
//! assert!(traceql::lower(&query).unwrap().is_exact);
//! assert_eq!(query.without_conjunct(0).to_string(), "{ duration > 1s }");
//! ```
//!
//! Refuses: relations between spans, pipelines, metrics; each is said to be not supported yet.
//!
//! Read next: `ast.rs` for the tree, `fields.rs` for the table of fields, `docs/query-language.md` for the language.

mod ast;
mod check;
mod chips;
mod complete;
mod diagnostic;
mod fields;
mod judge;
mod lasting;
mod lexer;
mod literal;
mod lower;
mod parse;
mod pattern;
mod print;
mod show;
mod trace;
mod value;
mod words;

pub use ast::{ArithOp, CompareOp, Expr, Field, Kind, Literal, Node, Query, Status};
pub use check::PATTERNS_MAX;
pub use chips::{Chip, chips, from_chips};
pub use complete::{Completion, Item, Wanted, complete};
pub use diagnostic::{Diagnostic, Proposal, Severity};
pub use fields::{INTRINSICS, Intrinsic, IntrinsicRow, Scope, Type};
pub use judge::Judge;
pub use lasting::without_trace_duration;
pub use literal::duration_text;
pub use lower::{Arrays, KnownArrays, Lowered, lower, lower_with};
pub use parse::{
    DEPTH_MAX, DIAGNOSTICS_MAX, NODES_MAX, Parsed, TEXT_BYTES_MAX, parse, parse_field,
};
pub use show::FieldReader;
