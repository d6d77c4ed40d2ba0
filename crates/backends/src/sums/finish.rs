//! Finishing records, by one process at a time: callers that came to another writer are looked up in the store, and the
//! records of an hour become one.
//!
//! Promises: whatever is interrupted is done again and comes to the same; a reader sees each count once at any moment,
//! for the record of an hour names those that are in it.

use std::collections::{BTreeMap, HashMap};

use model::contract::{Answer, ReadError, SpanReader, TraceAnswer};
use model::{SpanId, TenantId, TraceId};

use super::answer::Gathered;
use super::record::{HOUR_MINUTES, Key, OpenCall, Record, RecordId, hour_of};
use super::{Hours, Ledger};

/// A record is looked at when its minute is over since so many: its writer has left it, and the spans can be found.
const OPEN_AFTER_MINUTES: u64 = 4;
/// An hour is added up when it is over since so many.
const WHOLE_AFTER_HOURS: u64 = 1;
/// The longest record of an hour in which its minutes are told apart.
const WHOLE_BYTES_MAX: usize = 4 << 20;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Finished {
    /// Calls whose callers were found.
    pub(super) calls: u64,
    /// Those whose callers are nowhere.
    pub(super) orphans: u64,
    /// Hours that were added up.
    pub(super) hours: u64,
}

/// Asks whether this process is still the one that finishes records.
pub(super) type Leads<'a> = &'a (dyn Fn() -> Answer<'a, Result<bool, String>> + Sync);

/// Finishes what can be, as long as nobody else does: of two who add up an hour one would undo what the other has done.
pub(super) async fn finish(
    ledger: &dyn Ledger,
    reader: &dyn SpanReader,
    now_minute: u64,
    leads: Leads<'_>,
) -> Result<Finished, String> {
    let (mut finished, mut fault) = (Finished::default(), None);
    if !leads().await? {
        return Ok(finished);
    }
    // What can't be finished, or kept, holds up nothing else.
    for record in ledger
        .open(now_minute.saturating_sub(OPEN_AFTER_MINUTES))
        .await?
    {
        let found = find_callers(reader, record, &mut finished).await;
        if !leads().await? {
            return Ok(finished);
        }
        let kept = match found {
            Ok(record) => ledger.keep(record).await,
            Err(why) => Err(why),
        };
        fault = fault.or(kept.err());
    }
    let before = hour_of(now_minute).saturating_sub(WHOLE_AFTER_HOURS);
    for (tenant, hour) in ledger.loose(before).await? {
        if !leads().await? {
            return Ok(finished);
        }
        let settled = now_minute.saturating_sub(HOUR_MINUTES / 2);
        match add_up(ledger, &tenant, hour, settled).await {
            Ok(is_added) => finished.hours += u64::from(is_added),
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    fault.map_or(Ok(finished), Err)
}

/// Counts the calls of a record whose callers the store knows by now.
async fn find_callers(
    reader: &dyn SpanReader,
    mut record: Record,
    finished: &mut Finished,
) -> Result<Record, String> {
    let tenant = tenant_of(&record)?;
    let weight = record.weight;
    let mut of_traces: BTreeMap<TraceId, Vec<OpenCall>> = BTreeMap::new();
    for call in std::mem::take(&mut record.open) {
        of_traces.entry(call.trace_id).or_default().push(call);
    }
    for (trace_id, calls) in of_traces {
        let mut parents: Vec<SpanId> = calls.iter().map(|call| call.parent).collect();
        parents.sort_unstable();
        parents.dedup();
        let found = match reader.spans_of(&tenant, trace_id, parents).await {
            Ok(found) => found,
            // It will never be read.
            Err(
                ReadError::OverLimit { .. }
                | ReadError::BadQuestion { .. }
                | ReadError::NotHere { .. },
            ) => TraceAnswer::default(),
            Err(error) => return Err(format!("trace {trace_id} can't be read: {error}")),
        };
        let mut callers: HashMap<SpanId, String> = HashMap::new();
        for span in found.spans.iter() {
            callers
                .entry(span.span_id())
                .or_insert_with(|| span.service().to_owned());
        }
        for call in calls {
            let Some(caller) = callers.get(&call.parent) else {
                finished.orphans += 1;
                continue;
            };
            finished.calls += 1;
            let key = Key {
                service: call.service,
                other: caller.clone(),
                kind: call.kind,
            };
            let minute = record.minutes.entry(call.minute).or_default();
            let sum = minute.calls.entry(key).or_default();
            sum.count(call.duration, call.is_error, call.trace_id, weight);
        }
    }
    Ok(record)
}

fn tenant_of(record: &Record) -> Result<TenantId, String> {
    TenantId::parse(&record.tenant).map_err(|error| error.to_string())
}

/// Makes the records of an hour one; false when there is nothing to add.
async fn add_up(
    ledger: &dyn Ledger,
    tenant: &TenantId,
    hour: u64,
    settled_minute: u64,
) -> Result<bool, String> {
    let mut gathered = Gathered::default();
    let hours = Hours {
        first: hour,
        last: hour,
    };
    let mut add = |record: Record| gathered.add(record);
    let read = ledger.records(tenant, hours, &mut add).await;
    read.map_err(|error| error.to_string())?;
    // Those that are in it already and were not forgotten then.
    let left: Vec<RecordId> = {
        let unmerged: Vec<&RecordId> = gathered.unmerged().map(|record| &record.id).collect();
        let all = gathered.loose.iter().map(|record| &record.id);
        all.filter(|id| !unmerged.contains(id)).cloned().collect()
    };
    let is_due = |record: &&Record| record.open.is_empty() && record.id.arrival < settled_minute;
    let due: Vec<&Record> = gathered.unmerged().filter(is_due).collect();
    if due.is_empty() {
        ledger.forget(tenant, &left).await?;
        return Ok(false);
    }
    let known = gathered.whole.clone();
    let mut whole = known.unwrap_or_else(|| Record::new(tenant, RecordId::whole(hour)));
    whole.merged.clone_from(&left);
    for record in due {
        whole.add(record);
        whole.merged.push(record.id.clone());
    }
    if whole.is_coarse || whole.text()?.len() > WHOLE_BYTES_MAX {
        whole.make_coarse();
    }
    let merged = whole.merged.clone();
    ledger.keep(whole).await?;
    ledger.forget(tenant, &merged).await?;
    Ok(true)
}
