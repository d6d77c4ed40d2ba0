//! What is wrong, and what to change: looks at everything that a role needs, one thing after another.
//!
//! Promises: nothing is changed, on this machine or on others, but for the one span that a round trip sends; each look
//! has an end; what could not be looked at is said. The cause comes before what follows from it: a name that is not
//! known is told, and not that the server behind it does not answer.
//!
//! Read next: `here.rs` for this machine, `network.rs` for the way to others, `stores.rs` for what is at its end.

mod here;
mod network;
mod round_trip;
mod stores;

use std::time::Duration;

use backends::{Finding, State};

use crate::cli::{DoctorArgs, Part};
use crate::config::{BackendKind, Config, Settings};
use crate::error::Error;

/// How long one step on the way to a server may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Looks at what the arguments name.
pub(crate) async fn examine(args: &DoctorArgs) -> Vec<Finding> {
    let mut found = Vec::new();
    match load(args) {
        Ok(settings) => {
            found.push(Finding::well("configuration", sources_of(args)));
            found.extend(examine_role(args, &settings.config).await);
        }
        Err(error) => {
            let fix = "correct it there; `trackway config explain KEY` tells what a key takes";
            let mistakes = error.line();
            found.extend(
                mistakes
                    .lines()
                    .map(|line| Finding::wrong("configuration", line, fix)),
            );
        }
    }
    if let (Some(send_to), Some(ask)) = (&args.send_to, &args.ask) {
        found.push(round_trip::examine(send_to, ask, &args.identity).await);
    }
    found
}

fn load(args: &DoctorArgs) -> Result<Settings, Error> {
    let defaults = match args.role {
        Part::AllInOne => Config::default(),
        Part::Collector => Config::for_collector(),
        Part::Query => Config::for_query(),
        Part::Ingester => Config::for_ingester(),
        Part::Agent => Config::for_agent(),
    };
    let sources = args.source.sources(&crate::cli::KeyArgs::default());
    Ok(Settings::load_over(
        defaults,
        &sources.map_err(Error::Usage)?,
    )?)
}

fn sources_of(args: &DoctorArgs) -> String {
    match &args.source.config {
        Some(file) => format!("{} is understood", file.display()),
        None => "it is understood; there is no file".to_owned(),
    }
}

async fn examine_role(args: &DoctorArgs, config: &Config) -> Vec<Finding> {
    let kind = config.backend.kind;
    let mut found = vec![here::clock()];
    if !args.away {
        found.extend(here::ports(&config.listen));
        found.extend(here::folders(args.role, config));
    }
    let shares_a_store = matches!(args.role, Part::Collector | Part::Query | Part::Ingester);
    if shares_a_store && kind == BackendKind::Embedded {
        found.push(Finding::wrong(
            "store",
            "backend.kind is embedded, which only the process that has the folder can read and write",
            "name a store of others: backend.kind and its section (in the chart: storage.type)",
        ));
        return found;
    }
    if args.role == Part::Ingester {
        found.extend(stores::kafka(config).await);
    }
    found.extend(match (args.role, kind) {
        (Part::Agent, _) => stores::collectors(config).await,
        (_, BackendKind::Embedded) => Vec::new(),
        (_, BackendKind::Elasticsearch) => stores::elastic(config).await,
        (_, BackendKind::Cassandra) => stores::cassandra(config).await,
        (_, BackendKind::Remote) => stores::remote(config).await,
        (_, BackendKind::Kafka) => stores::kafka(config).await,
    });
    found
}

/// The first thing that is wrong, in one line, if anything is.
pub(crate) fn first_wrong(found: &[Finding]) -> Option<String> {
    let wrong = found.iter().find(|finding| finding.state == State::Wrong)?;
    let Finding {
        subject, seen, fix, ..
    } = wrong;
    Some(match fix.is_empty() {
        true => format!("{subject}: {seen}"),
        false => format!("{subject}: {seen}; {fix}"),
    })
}
