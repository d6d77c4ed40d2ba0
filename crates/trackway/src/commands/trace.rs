//! `trackway trace ID`: shows a trace of a running server as a waterfall.

use std::io::{BufWriter, Write};

use http::StatusCode;
use jiff::tz::TimeZone;
use model::TraceId;

use super::{ask, read_answer, write_json};
use crate::cli::TraceArgs;
use crate::error::Error;
use crate::jaeger_json::Trace;
use crate::terminal::Look;
use crate::terminal::waterfall::{self, Content};

/// Shows the trace.
pub(crate) fn run(args: &TraceArgs, out: &mut dyn Write) -> Result<(), Error> {
    let id = TraceId::parse(args.id.trim())
        .map_err(|error| Error::Usage(format!("{:?} is no trace id: {error}", args.id)))?;
    let reply = ask(&args.server, &format!("/api/traces/{}", id.jaeger_text()))?;
    if reply.status == StatusCode::NOT_FOUND {
        let (id, server) = (id.jaeger_text(), &args.server.server);
        return Err(Error::Missing(format!(
            "no trace {id} at {server}; it was not sent there, or is too old"
        )));
    }
    if args.look.json && reply.status.is_success() {
        return write_json(&reply, out);
    }
    let traces: Vec<Trace> = read_answer(&args.server, &reply)?;
    let spans_max = if args.spans == 0 {
        usize::MAX
    } else {
        args.spans
    };
    let content = Content {
        has_attributes: args.attributes,
        spans_max,
    };
    let look = Look::of_stdout(args.look.color, args.look.width);
    let zone = TimeZone::system();
    let mut out = BufWriter::new(out);
    for trace in &traces {
        waterfall::write(trace, content, look, &zone, &mut out)?;
    }
    Ok(out.flush()?)
}
