//! `trackway services [SERVICE]`: lists the services of a running server, or the operations of one.

use std::io::Write;

use super::{ask, read_answer, write_json};
use crate::cli::ServicesArgs;
use crate::client::percent_encoded;
use crate::error::Error;
use crate::jaeger_json::Operation;
use crate::terminal::{escaped, fitted, width_of};

/// Lists them.
pub(crate) fn run(args: &ServicesArgs, out: &mut dyn Write) -> Result<(), Error> {
    let path = match &args.service {
        None => "/api/services".to_owned(),
        Some(service) => format!("/api/operations?service={}", percent_encoded(service)),
    };
    let reply = ask(&args.server, &path)?;
    if args.json && reply.status.is_success() {
        return write_json(&reply, out);
    }
    match &args.service {
        None => write_services(
            &read_answer::<Vec<String>>(&args.server, &reply)?,
            args,
            out,
        ),
        Some(service) => write_operations(
            &read_answer::<Vec<Operation>>(&args.server, &reply)?,
            service,
            out,
        ),
    }
}

fn write_services(
    services: &[String],
    args: &ServicesArgs,
    out: &mut dyn Write,
) -> Result<(), Error> {
    if services.is_empty() {
        let server = &args.server.server;
        return Err(Error::Missing(format!(
            "{server} has no spans yet; `trackway generate` sends some"
        )));
    }
    for service in services {
        writeln!(out, "{}", escaped(service))?;
    }
    Ok(())
}

fn write_operations(
    operations: &[Operation],
    service: &str,
    out: &mut dyn Write,
) -> Result<(), Error> {
    if operations.is_empty() {
        return Err(Error::Missing(format!(
            "no service {service:?}; `trackway services` lists all"
        )));
    }
    let columns = operations
        .iter()
        .map(|operation| width_of(&operation.span_kind))
        .max()
        .unwrap_or(0);
    for operation in operations {
        writeln!(
            out,
            "{}  {}",
            fitted(&escaped(&operation.span_kind), columns),
            escaped(&operation.name)
        )?;
    }
    Ok(())
}
