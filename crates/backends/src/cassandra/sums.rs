//! Records of counts by minute as rows: a partition for each hour in which spans start.

use std::sync::Arc;

use model::TenantId;
use model::contract::{Answer, ReadError};
use scylla::value::{CqlValue, Row};

use super::Cassandra;
use super::client::Statements;
use super::fault::Fault;
use crate::sums::{HOUR_MINUTES, Hours, LEAD_SECONDS, Ledger, Record, RecordId, Take};

/// Hours that are looked at for what can be finished, the newest that have any counts.
const RECENT_HOURS: usize = 72;
/// Records that are finished at once.
const UNFINISHED_MAX: usize = 200;
/// The row that says who finishes records.
const LEASE: &str = "trackway_sums";

fn number(unsigned: u64) -> i64 {
    i64::try_from(unsigned).unwrap_or(i64::MAX)
}

fn said(fault: &Fault) -> String {
    format!("Cassandra: {}", fault.reason())
}

fn read(text: &str) -> Result<Record, Fault> {
    Record::read(text).map_err(|why| Fault::Unreadable(format!("a record of counts: {why}")))
}

impl Cassandra {
    async fn keep_record(&self, record: Record) -> Result<(), String> {
        let tenant = TenantId::parse(&record.tenant).map_err(|error| error.to_string())?;
        let statements = self.client.statements(&self.keyspace(&tenant)).await;
        let statements = statements.map_err(|fault| said(&fault))?;
        let made = self.pool.run(move || (record.text(), record));
        let (text, record) = made.await.map_err(|error| error.to_string())?;
        let text = text?;
        let id = &record.id;
        let row = (
            number(id.hour),
            number(id.arrival),
            id.writer.as_str(),
            record.tenant.as_str(),
            !record.open.is_empty(),
            text.as_str(),
        );
        let put = self.client.put(&statements.put_sums, vec![row]).await;
        put.map_err(|fault| said(&fault))
    }

    /// The hours of which there are counts, ascending.
    async fn hours_of(&self, statements: &Statements) -> Result<Vec<i64>, Fault> {
        let rows = self
            .client
            .all::<(i64,)>(&statements.sums_hours, ())
            .await?;
        let mut hours: Vec<i64> = rows.into_iter().map(|row| row.0).collect();
        hours.sort_unstable();
        Ok(hours)
    }

    async fn read_records(
        &self,
        tenant: &TenantId,
        hours: Hours,
        take: Take<'_>,
    ) -> Result<(), ReadError> {
        let statements = self.statements(tenant).await?;
        let (first, last) = (number(hours.first), number(hours.last));
        let known = self.hours_of(&statements).await.map_err(Fault::unread)?;
        for hour in known
            .into_iter()
            .filter(|hour| (first..=last).contains(hour))
        {
            let mut from = None;
            loop {
                let page = self
                    .client
                    .page::<(String,)>(&statements.sums, (hour,), from)
                    .await;
                let page = page.map_err(Fault::unread)?;
                for (text,) in page.rows {
                    take(read(&text).map_err(Fault::unread)?);
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The keyspaces that have counts: those of all tenants, and perhaps some of other installations.
    async fn keyspaces_with_sums(&self) -> Result<Vec<(String, Arc<Statements>)>, Fault> {
        let asked = "SELECT keyspace_name, table_name FROM system_schema.tables";
        let rows = self.client.ask::<(String, String)>(asked).await?;
        let (own, start) = (
            &self.options.keyspace,
            format!("{}_", self.options.keyspace),
        );
        let mut found = Vec::new();
        for (keyspace, table) in rows {
            let may_be_ours = keyspace == *own || keyspace.starts_with(&start);
            if may_be_ours && table == "trackway_sums" {
                let statements = self.client.statements(&keyspace).await?;
                found.push((keyspace, statements));
            }
        }
        Ok(found)
    }

    /// The newest hours of a keyspace up to one: those of clocks that are ahead keep no other from being finished.
    async fn recent_hours(&self, statements: &Statements, last: i64) -> Result<Vec<i64>, Fault> {
        let hours = self.hours_of(statements).await?;
        let past = hours.into_iter().rev().filter(|hour| *hour <= last);
        Ok(past.take(RECENT_HOURS).collect())
    }

    fn is_ours(&self, tenant: &str, keyspace: &str) -> bool {
        let tenant = TenantId::parse(tenant);
        tenant.is_ok_and(|tenant| self.keyspace(&tenant) == keyspace)
    }

    async fn open_records(&self, before_minute: u64) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        for (keyspace, statements) in self.keyspaces_with_sums().await? {
            let last = number(before_minute / HOUR_MINUTES);
            for hour in self.recent_hours(&statements, last).await? {
                let of = (hour, number(before_minute));
                let rows = self
                    .client
                    .all::<(i64, String, bool)>(&statements.sums_open, of);
                for (arrival, writer, _) in rows.await?.into_iter().filter(|row| row.2) {
                    let of = (hour, arrival, writer.as_str());
                    let found = self.client.rows::<(String,)>(&statements.sum, of).await?;
                    for (text,) in found {
                        let record = read(&text)?;
                        if self.is_ours(&record.tenant, &keyspace) {
                            records.push(record);
                        }
                    }
                    if records.len() >= UNFINISHED_MAX {
                        return Ok(records);
                    }
                }
            }
        }
        Ok(records)
    }

    async fn loose_hours(&self, before_hour: u64) -> Result<Vec<(TenantId, u64)>, Fault> {
        let mut loose = Vec::new();
        for (keyspace, statements) in self.keyspaces_with_sums().await? {
            let last = number(before_hour) - 1;
            for hour in self.recent_hours(&statements, last).await? {
                let rows = self
                    .client
                    .rows::<(String,)>(&statements.sums_loose, (hour,))
                    .await?;
                let tenant = rows.into_iter().next().map(|row| row.0);
                let tenant = tenant.filter(|tenant| self.is_ours(tenant, &keyspace));
                let tenant = tenant.and_then(|tenant| TenantId::parse(&tenant).ok());
                loose.extend(tenant.zip(u64::try_from(hour).ok()));
            }
        }
        Ok(loose)
    }

    async fn forget_records(&self, tenant: &TenantId, records: &[RecordId]) -> Result<(), Fault> {
        let statements = self.client.statements(&self.keyspace(tenant)).await?;
        for id in records {
            let row = (number(id.hour), number(id.arrival), id.writer.as_str());
            self.client.put(&statements.drop_sums, vec![row]).await?;
        }
        Ok(())
    }

    async fn take_lead(&self, owner: &str) -> Result<bool, Fault> {
        let statements = self.client.statements(&self.options.keyspace).await?;
        let again = self
            .client
            .rows::<Row>(&statements.keep_lead, (owner, LEASE, owner));
        if is_applied(&again.await?) {
            return Ok(true);
        }
        let taken = self
            .client
            .rows::<Row>(&statements.take_lead, (LEASE, owner));
        Ok(is_applied(&taken.await?))
    }
}

/// What Cassandra says of a change with a condition stands first.
fn is_applied(rows: &[Row]) -> bool {
    let first = rows.first().and_then(|row| row.columns.first());
    matches!(first, Some(Some(CqlValue::Boolean(true))))
}

/// The statements' texts.
pub(super) const PUT_SUMS: &str = "INSERT INTO KEYSPACE.trackway_sums (hour, arrival, writer, tenant, is_open, \
                                   record) VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const DROP_SUMS: &str =
    "DELETE FROM KEYSPACE.trackway_sums WHERE hour = ? AND arrival = ? AND writer = ?";
pub(super) const SUMS_HOURS: &str = "SELECT DISTINCT hour FROM KEYSPACE.trackway_sums";
// The one of the hour comes last: what is added up meanwhile is in it, and it names what it has.
pub(super) const SUMS: &str =
    "SELECT record FROM KEYSPACE.trackway_sums WHERE hour = ? ORDER BY arrival DESC";
pub(super) const SUM: &str =
    "SELECT record FROM KEYSPACE.trackway_sums WHERE hour = ? AND arrival = ? AND writer = ?";
pub(super) const SUMS_OPEN: &str = "SELECT arrival, writer, is_open FROM KEYSPACE.trackway_sums WHERE hour = ? AND \
                                    arrival < ?";
pub(super) const SUMS_LOOSE: &str =
    "SELECT tenant FROM KEYSPACE.trackway_sums WHERE hour = ? AND arrival > 0 LIMIT 1";
pub(super) fn take_lead() -> String {
    format!(
        "INSERT INTO KEYSPACE.leases (name, owner) VALUES (?, ?) IF NOT EXISTS USING TTL {LEAD_SECONDS}"
    )
}
pub(super) fn keep_lead() -> String {
    format!(
        "UPDATE KEYSPACE.leases USING TTL {LEAD_SECONDS} SET owner = ? WHERE name = ? IF owner = ?"
    )
}

impl Ledger for Cassandra {
    fn keep(&self, record: Record) -> Answer<'_, Result<(), String>> {
        Box::pin(self.keep_record(record))
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        hours: Hours,
        take: Take<'a>,
    ) -> Answer<'a, Result<(), ReadError>> {
        Box::pin(self.read_records(tenant, hours, take))
    }

    fn open(&self, before_minute: u64) -> Answer<'_, Result<Vec<Record>, String>> {
        Box::pin(async move {
            let records = self.open_records(before_minute).await;
            records.map_err(|fault| said(&fault))
        })
    }

    fn loose(&self, before_hour: u64) -> Answer<'_, Result<Vec<(TenantId, u64)>, String>> {
        Box::pin(async move {
            let hours = self.loose_hours(before_hour).await;
            hours.map_err(|fault| said(&fault))
        })
    }

    fn forget<'a>(
        &'a self,
        tenant: &'a TenantId,
        records: &'a [RecordId],
    ) -> Answer<'a, Result<(), String>> {
        Box::pin(async move {
            let forgotten = self.forget_records(tenant, records).await;
            forgotten.map_err(|fault| said(&fault))
        })
    }

    fn lead<'a>(&'a self, owner: &'a str, _: u64) -> Answer<'a, Result<bool, String>> {
        Box::pin(async move {
            let leads = self.take_lead(owner).await;
            leads.map_err(|fault| said(&fault))
        })
    }
}
