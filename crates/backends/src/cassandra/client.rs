//! Connections to Cassandra and the statements of its tables: all that is said to the driver but for the form of rows.
//!
//! Promises
//! - Statements are prepared once for each keyspace and sent to a server that has the rows; a write is never sent twice
//!   at the same time.
//! - Nothing is tried here that does not end: every request has a time within which it is answered or given up.
//! - A server that is away at the start is looked for again by whoever asks next.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scylla::authentication::{AuthError, AuthenticatorProvider, AuthenticatorSession};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{Session, TlsContext};
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::Consistency as Level;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement;
use tokio::sync::OnceCell;

use super::fault::Fault;
use super::options::{CassandraOptions, Consistency};
use super::{schema, sums};
use crate::PasswordSource;
use crate::lately::REMEMBERED;

/// The longest that one request may take: a server that stopped answering is given up then, and asked again later.
const REQUEST_TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// Signs of life on connections on which nothing is said.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long servers may take to agree on tables that are made.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(60);
/// Rows of an answer that come at once.
pub(super) const PAGE_ROWS: i32 = 1_000;

/// Says who the program is at each connection, by a password that may have changed.
struct Login {
    user: String,
    password: PasswordSource,
}

/// The plain exchange of user and password (SASL PLAIN, RFC 4616) has one message.
struct LoginSession;

impl AuthenticatorSession for LoginSession {
    fn evaluate_challenge<'a, 'b, 'c>(
        &'a mut self,
        _: Option<&'b [u8]>,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, AuthError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
    {
        let why = "the server asks for more than a user and a password".to_owned();
        Box::pin(std::future::ready(Err(why)))
    }

    fn success<'a, 'b, 'c>(
        &'a mut self,
        _: Option<&'b [u8]>,
    ) -> Pin<Box<dyn Future<Output = Result<(), AuthError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
    {
        Box::pin(std::future::ready(Ok(())))
    }
}

type Begun = (Option<Vec<u8>>, Box<dyn AuthenticatorSession>);

impl AuthenticatorProvider for Login {
    fn start_authentication_session<'a, 'b, 'c>(
        &'a self,
        _: &'b str,
    ) -> Pin<Box<dyn Future<Output = Result<Begun, AuthError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
    {
        Box::pin(async move {
            let password = self.password.read().await;
            let password =
                password.map_err(|why| format!("backend.cassandra.password_file: {why}"))?;
            let first = format!("\0{}\0{password}", self.user).into_bytes();
            let session: Box<dyn AuthenticatorSession> = Box::new(LoginSession);
            Ok((Some(first), session))
        })
    }
}

/// The statements of one keyspace.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) put_span: PreparedStatement,
    pub(super) put_service: PreparedStatement,
    pub(super) put_operation: PreparedStatement,
    pub(super) put_by_service: PreparedStatement,
    pub(super) put_by_operation: PreparedStatement,
    pub(super) put_by_duration: PreparedStatement,
    pub(super) put_by_tag: PreparedStatement,
    pub(super) put_by_start: PreparedStatement,
    pub(super) trace: PreparedStatement,
    pub(super) start_of_trace: PreparedStatement,
    pub(super) services: PreparedStatement,
    pub(super) operations: PreparedStatement,
    pub(super) by_service: PreparedStatement,
    pub(super) newest_of_service: PreparedStatement,
    pub(super) by_operation: PreparedStatement,
    pub(super) by_duration: PreparedStatement,
    pub(super) by_tag: PreparedStatement,
    pub(super) by_start: PreparedStatement,
    pub(super) recorded_days: PreparedStatement,
    pub(super) recorded_calls: PreparedStatement,
    pub(super) put_sums: PreparedStatement,
    pub(super) drop_sums: PreparedStatement,
    pub(super) sums_hours: PreparedStatement,
    pub(super) sums: PreparedStatement,
    pub(super) sum: PreparedStatement,
    pub(super) sums_open: PreparedStatement,
    pub(super) sums_loose: PreparedStatement,
    pub(super) take_lead: PreparedStatement,
    pub(super) keep_lead: PreparedStatement,
}

type Prepared = Arc<OnceCell<Arc<Statements>>>;

/// What asks Cassandra.
pub(super) struct Client {
    options: CassandraOptions,
    session: OnceCell<Session>,
    /// By keyspace.
    prepared: Mutex<HashMap<String, Prepared>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// How long names are kept where spans and names have lives of so many seconds; 0: for ever.
fn seconds_of_names(spans: u64, names: u64) -> u64 {
    match spans {
        0 => 0,
        spans => (spans.max(names) + REMEMBERED.as_secs()).min(TTL_SECONDS_MAX),
    }
}

/// Some rows of an answer, and where the others begin, if there are any.
pub(super) struct Page<R> {
    pub(super) rows: Vec<R>,
    pub(super) next: Option<PagingState>,
}

impl Client {
    pub(super) fn new(options: CassandraOptions) -> Self {
        Self {
            options,
            session: OnceCell::new(),
            prepared: Mutex::default(),
        }
    }

    fn request_timeout(&self) -> Duration {
        self.options.timeout.min(REQUEST_TIMEOUT_MAX)
    }

    /// The connections, made when they are needed first.
    async fn session(&self) -> Result<&Session, Fault> {
        let connect = || async {
            let builder = self.builder();
            match tokio::time::timeout(self.options.timeout, builder.build()).await {
                Ok(built) => built.map_err(|error| Fault::of_session(&error)),
                Err(_) => Err(Fault::Away(format!(
                    "it can't be reached within {:?}",
                    self.options.timeout
                ))),
            }
        };
        self.session.get_or_try_init(connect).await
    }

    fn builder(&self) -> SessionBuilder {
        let options = &self.options;
        let mut policy = DefaultPolicy::builder().token_aware(true);
        if let Some(datacenter) = &options.local_datacenter {
            policy = policy.prefer_datacenter(datacenter.clone());
        }
        let profile = ExecutionProfile::builder()
            .consistency(level(options.consistency))
            .request_timeout(Some(self.request_timeout()))
            .load_balancing_policy(policy.build())
            .speculative_execution_policy(None)
            .build();
        let mut builder = SessionBuilder::new()
            .known_nodes(&options.servers)
            .default_execution_profile_handle(profile.into_handle())
            .connection_timeout(self.request_timeout())
            .keepalive_interval(KEEPALIVE_INTERVAL)
            .keepalive_timeout(KEEPALIVE_INTERVAL)
            .schema_agreement_timeout(SCHEMA_TIMEOUT)
            .fetch_schema_metadata(false)
            .tcp_nodelay(true);
        if let Some((user, password)) = &options.login {
            builder = builder.authenticator_provider(Arc::new(Login {
                user: user.clone(),
                password: password.clone(),
            }));
        }
        if let Some(tls) = &options.tls {
            builder = builder.tls_context(Some(TlsContext::Rustls023(tls.config())));
        }
        builder
    }

    /// Asks a server for its version.
    pub(super) async fn look(&self) -> Result<String, Fault> {
        let rows: Vec<(String,)> = self.ask("SELECT release_version FROM system.local").await?;
        let first = rows.into_iter().next();
        first
            .map(|row| row.0)
            .ok_or_else(|| Fault::Unreadable("it tells no version".to_owned()))
    }

    /// Asks what is not prepared.
    pub(super) async fn ask<R>(&self, text: &str) -> Result<Vec<R>, Fault>
    where
        R: for<'a> DeserializeRow<'a, 'a>,
    {
        let session = self.session().await?;
        let answer = session.query_unpaged(text, ()).await;
        rows_of(answer.map_err(|error| Fault::of_execution(&error))?)
    }

    /// Makes or changes tables, and waits until all servers know.
    pub(super) async fn change(&self, text: &str) -> Result<(), Fault> {
        let session = self.session().await?;
        let mut statement = Statement::new(text);
        statement.set_request_timeout(Some(SCHEMA_TIMEOUT));
        let changed = session.query_unpaged(statement, ()).await;
        changed.map_err(|error| Fault::of_execution(&error))?;
        Ok(())
    }

    /// The statements of a keyspace, prepared when they are needed first.
    pub(super) async fn statements(&self, keyspace: &str) -> Result<Arc<Statements>, Fault> {
        let prepared = {
            let mut known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(keyspace.to_owned()).or_default())
        };
        let prepare = || async {
            if self.options.schema.is_created {
                schema::make(self, keyspace, &self.options.schema).await?;
            }
            // It is large: a statement takes half a kilobyte.
            Box::pin(self.prepare(keyspace)).await.map(Arc::new)
        };
        prepared.get_or_try_init(prepare).await.map(Arc::clone)
    }

    /// For how many seconds names are kept: as long as spans that come with them, and until names are written again.
    async fn name_ttl(&self, keyspace: &str) -> Result<String, Fault> {
        let asked = format!(
            "SELECT table_name, default_time_to_live FROM system_schema.tables WHERE keyspace_name = '{keyspace}'"
        );
        let tables = self.ask::<(String, i32)>(&asked).await?;
        let of = |name: &str| {
            let found = tables.iter().find(|(table, _)| table == name);
            found.map_or(0, |(_, seconds)| u64::try_from(*seconds).unwrap_or(0))
        };
        Ok(seconds_of_names(of("traces"), of("service_names")).to_string())
    }

    async fn prepare(&self, keyspace: &str) -> Result<Statements, Fault> {
        let session = self.session().await?;
        let name_ttl = self.name_ttl(keyspace).await?;
        let (timeout, name_ttl) = (self.request_timeout(), name_ttl.as_str());
        let prepare = |text: &str| {
            let text = text.replace("KEYSPACE", keyspace);
            let text = text.replace("NAME_TTL", name_ttl);
            async move {
                // All that is written says the same whenever it is written, unless there is a condition.
                let is_idempotent = !text.contains(" IF ");
                // The driver itself waits without an end for a server that does not answer.
                let prepared = tokio::time::timeout(timeout, session.prepare(text)).await;
                let prepared = prepared.map_err(|_elapsed| {
                    Fault::Away(format!("it prepares no statement within {timeout:?}"))
                })?;
                let mut prepared = prepared.map_err(Fault::of_prepare)?;
                prepared.set_is_idempotent(is_idempotent);
                prepared.set_page_size(PAGE_ROWS);
                Ok::<_, Fault>(prepared)
            }
        };
        Ok(Statements {
            put_span: prepare(PUT_SPAN).await?,
            put_service: prepare(PUT_SERVICE).await?,
            put_operation: prepare(PUT_OPERATION).await?,
            put_by_service: prepare(PUT_BY_SERVICE).await?,
            put_by_operation: prepare(PUT_BY_OPERATION).await?,
            put_by_duration: prepare(PUT_BY_DURATION).await?,
            put_by_tag: prepare(PUT_BY_TAG).await?,
            put_by_start: prepare(PUT_BY_START).await?,
            trace: prepare(TRACE).await?,
            start_of_trace: prepare(START_OF_TRACE).await?,
            services: prepare(SERVICES).await?,
            operations: prepare(OPERATIONS).await?,
            by_service: prepare(BY_SERVICE).await?,
            newest_of_service: prepare(NEWEST_OF_SERVICE).await?,
            by_operation: prepare(BY_OPERATION).await?,
            by_duration: prepare(BY_DURATION).await?,
            by_tag: prepare(BY_TAG).await?,
            by_start: prepare(BY_START).await?,
            recorded_days: prepare(RECORDED_DAYS).await?,
            recorded_calls: prepare(RECORDED_CALLS).await?,
            put_sums: prepare(sums::PUT_SUMS).await?,
            drop_sums: prepare(sums::DROP_SUMS).await?,
            sums_hours: prepare(sums::SUMS_HOURS).await?,
            sums: prepare(sums::SUMS).await?,
            sum: prepare(sums::SUM).await?,
            sums_open: prepare(sums::SUMS_OPEN).await?,
            sums_loose: prepare(sums::SUMS_LOOSE).await?,
            take_lead: prepare(&sums::take_lead()).await?,
            keep_lead: prepare(&sums::keep_lead()).await?,
        })
    }

    /// Writes rows of one partition, which the server takes as one, and answers when as many replicas have confirmed
    /// them as must.
    pub(super) async fn put<V: SerializeRow>(
        &self,
        statement: &PreparedStatement,
        mut rows: Vec<V>,
    ) -> Result<(), Fault> {
        let session = self.session().await?;
        let put = match rows.pop() {
            None => return Ok(()),
            Some(row) if rows.is_empty() => session.execute_unpaged(statement, row).await,
            Some(row) => {
                rows.push(row);
                let mut batch = Batch::new(BatchType::Unlogged);
                for _ in &rows {
                    batch.append_statement(statement.clone());
                }
                batch.set_is_idempotent(true);
                session.batch(&batch, rows).await
            }
        };
        put.map_err(|error| Fault::of_execution(&error))?;
        Ok(())
    }

    /// Reads rows from somewhere on.
    pub(super) async fn page<R>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
        from: Option<PagingState>,
    ) -> Result<Page<R>, Fault>
    where
        R: for<'a> DeserializeRow<'a, 'a>,
    {
        let session = self.session().await?;
        let from = from.unwrap_or_else(PagingState::start);
        let read = session.execute_single_page(statement, values, from).await;
        let (answer, state) = read.map_err(|error| Fault::of_execution(&error))?;
        let next = match state {
            PagingStateResponse::HasMorePages { state } => Some(state),
            PagingStateResponse::NoMorePages => None,
        };
        Ok(Page {
            rows: rows_of(answer)?,
            next,
        })
    }

    /// Reads all rows, page by page.
    pub(super) async fn all<R>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow + Copy,
    ) -> Result<Vec<R>, Fault>
    where
        R: for<'a> DeserializeRow<'a, 'a>,
    {
        let (mut rows, mut from) = (Vec::new(), None);
        loop {
            let page = self.page(statement, values, from).await?;
            rows.extend(page.rows);
            from = page.next;
            if from.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Reads rows that come at once.
    pub(super) async fn rows<R>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Vec<R>, Fault>
    where
        R: for<'a> DeserializeRow<'a, 'a>,
    {
        let session = self.session().await?;
        let read = session.execute_unpaged(statement, values).await;
        rows_of(read.map_err(|error| Fault::of_execution(&error))?)
    }
}

fn rows_of<R>(answer: QueryResult) -> Result<Vec<R>, Fault>
where
    R: for<'a> DeserializeRow<'a, 'a>,
{
    let answer = answer.into_rows_result().map_err(unreadable)?;
    let rows = answer.rows::<R>().map_err(unreadable)?;
    rows.collect::<Result<_, _>>().map_err(unreadable)
}

fn unreadable(error: impl fmt::Display) -> Fault {
    Fault::Unreadable(error.to_string())
}

fn level(consistency: Consistency) -> Level {
    match consistency {
        Consistency::One => Level::One,
        Consistency::Two => Level::Two,
        Consistency::Three => Level::Three,
        Consistency::LocalOne => Level::LocalOne,
        Consistency::Quorum => Level::Quorum,
        Consistency::LocalQuorum => Level::LocalQuorum,
        Consistency::EachQuorum => Level::EachQuorum,
        Consistency::All => Level::All,
    }
}

const PUT_SPAN: &str = "INSERT INTO KEYSPACE.traces (trace_id, span_id, span_hash, parent_id, operation_name, flags, \
                        start_time, duration, tags, logs, refs, process) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const PUT_SERVICE: &str =
    "INSERT INTO KEYSPACE.service_names (service_name) VALUES (?) USING TTL NAME_TTL";
const PUT_OPERATION: &str = "INSERT INTO KEYSPACE.operation_names_v2 (service_name, span_kind, operation_name) \
                             VALUES (?, ?, ?) USING TTL NAME_TTL";
/// The longest that Cassandra lets rows live: 20 years.
const TTL_SECONDS_MAX: u64 = 630_720_000;
const PUT_BY_SERVICE: &str = "INSERT INTO KEYSPACE.service_name_index (service_name, bucket, start_time, trace_id) \
                              VALUES (?, ?, ?, ?)";
const PUT_BY_OPERATION: &str = "INSERT INTO KEYSPACE.service_operation_index (service_name, operation_name, \
                                start_time, trace_id) VALUES (?, ?, ?, ?)";
const PUT_BY_DURATION: &str = "INSERT INTO KEYSPACE.duration_index (service_name, operation_name, bucket, duration, \
                               start_time, trace_id) VALUES (?, ?, ?, ?, ?, ?)";
const PUT_BY_TAG: &str = "INSERT INTO KEYSPACE.tag_index (service_name, tag_key, tag_value, start_time, trace_id, \
                          span_id) VALUES (?, ?, ?, ?, ?, ?)";
const PUT_BY_START: &str = "INSERT INTO KEYSPACE.trackway_start_index (service_name, operation_name, bucket, \
                            start_time, trace_id) VALUES (?, ?, ?, ?, ?)";
const TRACE: &str = "SELECT trace_id, span_id, span_hash, parent_id, operation_name, flags, start_time, duration, \
                     tags, logs, refs, process FROM KEYSPACE.traces WHERE trace_id = ?";
const START_OF_TRACE: &str =
    "SELECT min(start_time), count(span_id) FROM KEYSPACE.traces WHERE trace_id = ?";
const SERVICES: &str = "SELECT service_name FROM KEYSPACE.service_names";
const OPERATIONS: &str =
    "SELECT span_kind, operation_name FROM KEYSPACE.operation_names_v2 WHERE service_name = ?";
const BY_SERVICE: &str = "SELECT start_time, trace_id FROM KEYSPACE.service_name_index WHERE service_name = ? AND \
                          bucket IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9) AND start_time >= ? AND start_time <= ? \
                          ORDER BY start_time DESC LIMIT ?";
const NEWEST_OF_SERVICE: &str = "SELECT start_time FROM KEYSPACE.service_name_index WHERE service_name = ? AND \
                                 bucket IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9) AND start_time >= ? AND start_time <= ? \
                                 PER PARTITION LIMIT 1";
const BY_OPERATION: &str = "SELECT start_time, trace_id FROM KEYSPACE.service_operation_index WHERE \
                            service_name = ? AND operation_name = ? AND start_time >= ? AND start_time <= ?";
const BY_DURATION: &str = "SELECT start_time, trace_id FROM KEYSPACE.duration_index WHERE service_name = ? AND \
                           operation_name = ? AND bucket = ? AND duration >= ? AND duration <= ?";
const BY_TAG: &str = "SELECT start_time, trace_id FROM KEYSPACE.tag_index WHERE service_name = ? AND tag_key = ? AND \
                      tag_value = ? AND start_time >= ? AND start_time <= ?";
const BY_START: &str = "SELECT start_time, trace_id FROM KEYSPACE.trackway_start_index WHERE service_name = ? AND \
                        operation_name = ? AND bucket = ? AND start_time >= ? AND start_time <= ?";
const RECORDED_DAYS: &str = "SELECT DISTINCT ts_bucket FROM KEYSPACE.dependencies_v2";
const RECORDED_CALLS: &str = "SELECT dependencies FROM KEYSPACE.dependencies_v2 WHERE ts_bucket = ? AND ts >= ? AND \
                              ts <= ?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outlive_the_spans_that_come_before_they_are_written_again() {
        const DAY: u64 = 86_400;
        assert_eq!(seconds_of_names(0, DAY), 0);
        assert_eq!(seconds_of_names(2 * DAY, 0), 2 * DAY + DAY / 2);
        assert_eq!(seconds_of_names(2 * DAY, 3 * DAY), 3 * DAY + DAY / 2);
        assert_eq!(seconds_of_names(TTL_SECONDS_MAX, 0), TTL_SECONDS_MAX);
    }
}
