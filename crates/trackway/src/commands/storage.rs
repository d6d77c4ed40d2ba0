//! `trackway storage init|rollover|clean`: puts a store of others in order.
//!
//! Promises: prints a line for each thing that was done, and nothing where nothing was to be done; each tenant that the
//! configuration names is served; exit code 1 when the server refuses.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use backends::elastic::{Cleaned, Elastic, MaintainError, Rotation};
use model::TenantId;
use plumbing::{Clock as _, CpuPool, Metrics, RealClock};
use tls::TlsMetrics;

use super::wait_for;
use crate::backend::Backend;
use crate::cli::{CleanArgs, InitArgs, KeyArgs, RolloverArgs, SourceArgs, StorageCommand};
use crate::config::{BackendKind, Config, Setting as _, Settings};
use crate::error::Error;

const NANOS_PER_MILLI: u64 = 1_000_000;
/// One thread, and a request at a time.
const POOL_QUEUE_JOBS_MAX: usize = 16;

/// Does what the command says.
pub(crate) fn run(command: &StorageCommand, out: &mut dyn Write) -> Result<(), Error> {
    let done = match command {
        StorageCommand::Init(args) => init(args),
        StorageCommand::Rollover(args) => rollover(args),
        StorageCommand::Clean(args) => clean(args),
    };
    for line in done? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn init(args: &InitArgs) -> Result<Vec<String>, Error> {
    let config = load(&args.source)?;
    if config.backend.kind == BackendKind::Cassandra {
        return make_tables(&config);
    }
    let elastic = open(&config)?;
    needs_rollover(&config)?;
    let elastic = &elastic;
    for_each_tenant(&config, async |tenant| {
        let made = elastic.begin_rollover(&tenant, args.archive).await;
        Ok(made?
            .into_iter()
            .map(|name| format!("{name}: made"))
            .collect())
    })
}

/// The tenants that are named, and the one that has no name.
fn tenants(config: &Config) -> Vec<TenantId> {
    let mut tenants = vec![TenantId::default()];
    let named = config.access.tenants.names.0.iter().cloned();
    tenants.extend(named.filter(|tenant| *tenant != TenantId::default()));
    tenants
}

/// Does the same for each tenant, one after another.
fn for_each_tenant(
    config: &Config,
    work: impl AsyncFn(TenantId) -> Result<Vec<String>, MaintainError>,
) -> Result<Vec<String>, Error> {
    wait_for(async {
        let mut done = Vec::new();
        for tenant in tenants(config) {
            let of_tenant = work(tenant).await;
            done.extend(of_tenant.map_err(|error| Error::Store(error.to_string()))?);
        }
        Ok(done)
    })
}

/// The keyspaces and tables of all tenants.
fn make_tables(config: &Config) -> Result<Vec<String>, Error> {
    let metrics = Metrics::new();
    let cassandra = Backend::cassandra(config, pool()?, &TlsMetrics::register(&metrics), &metrics)?;
    let made = wait_for(async {
        let made = cassandra.make_tables(&tenants(config)).await;
        made.map_err(Error::Store)
    })?;
    Ok(made
        .into_iter()
        .map(|name| format!("{name}: made"))
        .collect())
}

fn rollover(args: &RolloverArgs) -> Result<Vec<String>, Error> {
    let conditions: serde_json::Value = serde_json::from_str(&args.conditions)
        .ok()
        .filter(serde_json::Value::is_object)
        .ok_or_else(|| {
            Error::Usage(format!(
                "--conditions {:?} is no JSON object; write for instance {{\"max_age\":\"2d\"}}",
                args.conditions
            ))
        })?;
    let lookback = args.lookback.as_deref().map(Duration::parse).transpose();
    let lookback = lookback.map_err(|why| Error::Usage(format!("--lookback: {why}")))?;
    let config = load(&args.source)?;
    let elastic = open(&config)?;
    needs_rollover(&config)?;
    let (elastic, conditions, now) = (&elastic, &conditions, now_millis());
    for_each_tenant(&config, async |tenant| {
        let done = elastic.roll_over(&tenant, conditions, args.archive, lookback, now);
        done.await
    })
}

fn clean(args: &CleanArgs) -> Result<Vec<String>, Error> {
    let config = load(&args.source)?;
    let elastic = open(&config)?;
    let what = if args.archive {
        Cleaned::Archive
    } else {
        Cleaned::Current
    };
    let (elastic, now) = (&elastic, now_millis());
    let old = for_each_tenant(&config, async |tenant| {
        elastic
            .clean(&tenant, args.days, what, args.dry_run, now)
            .await
    })?;
    let done = if args.dry_run {
        "would be deleted"
    } else {
        "deleted"
    };
    Ok(old
        .into_iter()
        .map(|name| format!("{name}: {done}"))
        .collect())
}

fn now_millis() -> u64 {
    RealClock::default().unix_nanos() / NANOS_PER_MILLI
}

fn load(source: &SourceArgs) -> Result<Config, Error> {
    let sources = source.sources(&KeyArgs::default()).map_err(Error::Usage)?;
    Ok(Settings::load(&sources)?.config)
}

fn pool() -> Result<CpuPool, Error> {
    let pool = CpuPool::start("trackway-backend", 1, POOL_QUEUE_JOBS_MAX);
    pool.map_err(|source| Error::Machine {
        action: "start a thread",
        source,
    })
}

fn open(config: &Config) -> Result<Arc<Elastic>, Error> {
    if config.backend.kind != BackendKind::Elasticsearch {
        let text = format!(
            "backend.kind is {}: this puts a store in Elasticsearch or OpenSearch in order; Cassandra drops what is \
             old by itself (backend.cassandra.schema.trace_ttl), and so does the embedded one (store.retention)",
            config.backend.kind.print()
        );
        return Err(Error::Usage(text));
    }
    let metrics = Metrics::new();
    Backend::elastic(config, pool()?, &TlsMetrics::register(&metrics), &metrics)
}

fn needs_rollover(config: &Config) -> Result<(), Error> {
    let chosen = &config.backend.elasticsearch;
    if chosen.rotation.of_indices() == Rotation::Rollover {
        return Ok(());
    }
    let text = "backend.elasticsearch.rotation is daily: indices begin with each day by themselves; set it to rollover \
                to have them rolled over";
    Err(Error::Usage(text.to_owned()))
}
