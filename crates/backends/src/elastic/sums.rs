//! Records of counts by minute as documents: an index for each day, by the hours in which spans start.

use http::Method;
use model::TenantId;
use model::contract::{Answer, ReadError};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Day, Indices, path_of, search_path};
use super::templates;
use super::write::Bulk;
use crate::sums::{Hours, LEAD_SECONDS, Ledger, Record, RecordId, Take};

/// Documents of one answer; one has some megabytes at most.
const PAGE: usize = 50;
/// Records that are finished at once.
const UNFINISHED_MAX: usize = 200;
/// Hours that are added up at once.
const LOOSE_MAX: usize = 100;
const HOUR_NANOS: u64 = 3_600_000_000_000;
/// The document that says who finishes records.
const LEASE: &str = "sums";
/// A version that somebody else has changed, or made first.
const CONFLICT: u16 = 409;

/// What a server calls it that an index is made twice.
const ALREADY_THERE: &str = "resource_already_exists_exception";

/// How a document of a record is laid out: its record as a text, and what it is found by.
pub(super) fn mappings() -> Value {
    json!({
        "dynamic": false,
        "properties": {
            "tenant": {"type": "keyword"},
            "hour": {"type": "long"},
            "arrival": {"type": "long"},
            "writer": {"type": "keyword"},
            "is_open": {"type": "boolean"},
            "is_whole": {"type": "boolean"},
            "record": {"type": "keyword", "index": false, "doc_values": false},
        },
    })
}

#[derive(Deserialize)]
struct Answered {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_source")]
    source: Source,
    #[serde(default)]
    sort: Value,
}

#[derive(Deserialize)]
struct Source {
    record: String,
}

#[derive(Deserialize)]
struct LooseAnswer {
    aggregations: Option<LooseHours>,
}

#[derive(Deserialize)]
struct LooseHours {
    of: LooseBuckets,
}

#[derive(Deserialize)]
struct LooseBuckets {
    buckets: Vec<LooseBucket>,
}

#[derive(Deserialize)]
struct LooseBucket {
    key: LooseKey,
}

#[derive(Deserialize)]
struct LooseKey {
    tenant: String,
    hour: u64,
    index: String,
}

#[derive(Deserialize)]
struct Lease {
    #[serde(rename = "_seq_no")]
    sequence: u64,
    #[serde(rename = "_primary_term")]
    term: u64,
    #[serde(rename = "_source")]
    of: LeaseOf,
}

#[derive(Deserialize)]
struct LeaseOf {
    owner: String,
    until_unix_millis: u64,
}

fn document_id(id: &RecordId) -> String {
    format!("{}-{}-{}", id.hour, id.arrival, id.writer)
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
fn said(fault: Fault) -> String {
    format!("Elasticsearch: {}", fault.reason())
}

impl Elastic {
    fn sums_index(&self, tenant: &TenantId, hour: u64) -> String {
        let day = Day::of(hour.saturating_mul(HOUR_NANOS));
        self.indices(tenant).sums_of(day)
    }

    async fn keep_record(&self, record: Record) -> Result<(), String> {
        let tenant = TenantId::parse(&record.tenant).map_err(|error| error.to_string())?;
        let indices = self.indices(&tenant);
        self.prepared(&indices).await.map_err(said)?;
        let index = self.sums_index(&tenant, record.id.hour);
        self.made_without_template(&index).await.map_err(said)?;
        let made = self.pool.run(move || {
            let text = record.text()?;
            let document = json!({
                "tenant": record.tenant,
                "hour": record.id.hour,
                "arrival": record.id.arrival,
                "writer": record.id.writer,
                "is_open": !record.open.is_empty(),
                "is_whole": record.id.is_whole(),
                "record": text,
            });
            let mut bulk = Bulk::default();
            bulk.add(&index, &document_id(&record.id), &document.to_string());
            Ok::<_, String>(bulk)
        });
        let bulk = made.await.map_err(|error| error.to_string())??;
        let until = Instant::now() + self.options.timeout;
        let sent = self.send(bulk, &indices.set_aside(), until).await;
        sent.map_err(|error| error.to_string())
    }

    /// Makes an index where nobody installs the template that it would be made by: laid out by its first document it
    /// would not be found by.
    async fn made_without_template(&self, index: &str) -> Result<(), Fault> {
        if self.options.creates_templates {
            return Ok(());
        }
        let make = async {
            let body = Body::Json(templates::index_of_sums(&self.options));
            let path = path_of(index, "");
            match self.client.ask(&Method::PUT, &path, body).await {
                Err(Fault::Refused { kind, .. }) if kind == ALREADY_THERE => Ok(()),
                made => made.map(drop),
            }
        };
        self.once(index.to_owned(), make).await
    }

    async fn read_records(
        &self,
        indices: &Indices,
        hours: Hours,
        take: Take<'_>,
    ) -> Result<(), ReadError> {
        // Hours beyond are of no clock, and of no number that the server compares.
        let last = hours.last.min(u64::MAX / HOUR_NANOS);
        let query = json!({"range": {"hour": {"gte": hours.first, "lte": last}}});
        let mut after: Option<Value> = None;
        loop {
            let mut asked = json!({
                "size": PAGE,
                "query": query,
                "_source": ["record"],
                "sort": [{"hour": "asc"}, {"arrival": "desc"}, {"writer": "asc"}],
            });
            if let (Some(asked), Some(after)) = (asked.as_object_mut(), after.take()) {
                asked.insert("search_after".to_owned(), after);
            }
            let hits = self.ask_hits(&indices.all_sums(), asked).await;
            let hits = hits.map_err(Fault::unread)?;
            let is_last = hits.len() < PAGE;
            after = hits.last().map(|hit| hit.sort.clone());
            for hit in hits {
                take(read(&hit)?);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn ask_hits(&self, index: &str, asked: Value) -> Result<Vec<Hit>, Fault> {
        let path = search_path(index);
        let answer = self
            .client
            .ask_json(&Method::POST, &path, Body::Json(asked));
        let answer: Answered = answer.await?;
        Ok(answer.hits.hits)
    }

    /// Whether an index is one that holds the records of a tenant, and not of another installation that shares the
    /// server.
    fn is_ours(&self, tenant: &str, index: &str) -> bool {
        let tenant = TenantId::parse(tenant);
        tenant.is_ok_and(|tenant| index.starts_with(&self.indices(&tenant).sums_prefix()))
    }

    async fn open_records(&self, before_minute: u64) -> Result<Vec<Record>, String> {
        let asked = json!({
            "size": UNFINISHED_MAX,
            "query": {"bool": {"filter": [
                {"term": {"is_open": true}},
                {"range": {"arrival": {"lt": before_minute}}},
            ]}},
            "_source": ["record"],
            "sort": [{"arrival": "asc"}],
        });
        let hits = self.ask_hits(&self.sums_of_all_tenants(), asked).await;
        let mut records = Vec::new();
        for hit in hits.map_err(said)? {
            let record = Record::read(&hit.source.record)?;
            if self.is_ours(&record.tenant, &hit.index) {
                records.push(record);
            }
        }
        Ok(records)
    }

    async fn loose_hours(&self, before_hour: u64) -> Result<Vec<(TenantId, u64)>, String> {
        let of = |field: &str| json!({"terms": {"field": field}});
        let asked = json!({
            "size": 0,
            "query": {"bool": {"filter": [
                {"term": {"is_whole": false}},
                {"range": {"hour": {"lt": before_hour}}},
            ]}},
            "aggs": {"of": {"composite": {"size": LOOSE_MAX, "sources": [
                {"tenant": of("tenant")},
                {"hour": {"terms": {"field": "hour", "order": "desc"}}},
                {"index": of("_index")},
            ]}}},
        });
        let path = search_path(&self.sums_of_all_tenants());
        let answer = self
            .client
            .ask_json(&Method::POST, &path, Body::Json(asked));
        let answer: LooseAnswer = answer.await.map_err(said)?;
        let buckets = answer.aggregations.map(|found| found.of.buckets);
        let mut hours = Vec::new();
        for LooseBucket { key } in buckets.unwrap_or_default() {
            if self.is_ours(&key.tenant, &key.index) {
                let tenant = TenantId::parse(&key.tenant).map_err(|error| error.to_string())?;
                hours.push((tenant, key.hour));
            }
        }
        Ok(hours)
    }

    fn sums_of_all_tenants(&self) -> String {
        let own = self.indices(&TenantId::default());
        format!("{}*{}*", own.prefix(), Indices::SUMS)
    }

    async fn forget_records(&self, tenant: &TenantId, records: &[RecordId]) -> Result<(), String> {
        for id in records {
            let index = self.sums_index(tenant, id.hour);
            let path = path_of(&index, &format!("/_doc/{}", document_id(id)));
            match self.client.ask(&Method::DELETE, &path, Body::None).await {
                Ok(_) | Err(Fault::Refused { status: 404, .. }) => {}
                Err(fault) => return Err(said(fault)),
            }
        }
        Ok(())
    }

    async fn take_lead(&self, owner: &str, now_unix_millis: u64) -> Result<bool, String> {
        let index = self.indices(&TenantId::default()).leases();
        let until = now_unix_millis.saturating_add(LEAD_SECONDS * 1_000);
        let wanted = || Body::Json(json!({"owner": owner, "until_unix_millis": until}));
        let path = path_of(&index, &format!("/_doc/{LEASE}"));
        let known: Result<Lease, Fault> =
            self.client.ask_json(&Method::GET, &path, Body::None).await;
        let put = match known {
            Ok(lease)
                if lease.of.owner != owner && lease.of.until_unix_millis > now_unix_millis =>
            {
                return Ok(false);
            }
            Ok(lease) => {
                let (sequence, term) = (lease.sequence, lease.term);
                let rest = format!("?if_seq_no={sequence}&if_primary_term={term}");
                self.client
                    .ask(&Method::PUT, &format!("{path}{rest}"), wanted())
                    .await
            }
            Err(Fault::Refused { status: 404, .. }) => {
                let path = path_of(&index, &format!("/_create/{LEASE}"));
                self.client.ask(&Method::PUT, &path, wanted()).await
            }
            Err(fault) => Err(fault),
        };
        match put {
            Ok(_) => Ok(true),
            Err(Fault::Refused {
                status: CONFLICT, ..
            }) => Ok(false),
            Err(fault) => Err(said(fault)),
        }
    }
}

fn read(hit: &Hit) -> Result<Record, ReadError> {
    Record::read(&hit.source.record).map_err(|why| {
        Fault::Unreadable(format!("a record of counts in {}: {why}", hit.index)).unread()
    })
}

impl Ledger for Elastic {
    fn keep(&self, record: Record) -> Answer<'_, Result<(), String>> {
        Box::pin(self.keep_record(record))
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        hours: Hours,
        take: Take<'a>,
    ) -> Answer<'a, Result<(), ReadError>> {
        let indices = self.indices(tenant);
        Box::pin(async move { self.read_records(&indices, hours, take).await })
    }

    fn open(&self, before_minute: u64) -> Answer<'_, Result<Vec<Record>, String>> {
        Box::pin(self.open_records(before_minute))
    }

    fn loose(&self, before_hour: u64) -> Answer<'_, Result<Vec<(TenantId, u64)>, String>> {
        Box::pin(self.loose_hours(before_hour))
    }

    fn forget<'a>(
        &'a self,
        tenant: &'a TenantId,
        records: &'a [RecordId],
    ) -> Answer<'a, Result<(), String>> {
        Box::pin(self.forget_records(tenant, records))
    }

    fn lead<'a>(
        &'a self,
        owner: &'a str,
        now_unix_millis: u64,
    ) -> Answer<'a, Result<bool, String>> {
        Box::pin(self.take_lead(owner, now_unix_millis))
    }
}
