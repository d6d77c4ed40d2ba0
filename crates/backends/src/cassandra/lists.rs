//! Which services there are, and which operations these have.

use std::collections::BTreeSet;

use model::contract::{Operation, ReadError};
use model::seen::SeenOperation;

use super::Cassandra;
use super::client::Statements;
use super::fault::Fault;
use super::write::in_key;
use crate::words::kind_number;

impl Cassandra {
    pub(super) async fn list_services(
        &self,
        statements: &Statements,
    ) -> Result<Vec<String>, ReadError> {
        let rows = self.client.all::<(String,)>(&statements.services, ());
        let rows = rows.await.map_err(Fault::unread)?;
        let names: BTreeSet<String> = rows.into_iter().map(|row| row.0).collect();
        Ok(names.into_iter().collect())
    }

    pub(super) async fn list_operations(
        &self,
        statements: &Statements,
        service: &str,
    ) -> Result<Vec<Operation>, ReadError> {
        // An empty text is no key of a row.
        if service.is_empty() {
            return Ok(Vec::new());
        }
        let service = in_key(service);
        let of = (service.as_str(),);
        let rows = self
            .client
            .all::<(String, String)>(&statements.operations, of);
        let found: BTreeSet<Operation> = rows
            .await
            .map_err(Fault::unread)?
            .into_iter()
            .map(|(kind, name)| Operation {
                name,
                kind: kind_number(&kind),
            })
            .collect();
        Ok(found.into_iter().collect())
    }

    /// All operations of all services. Since when is not told: always.
    pub(super) async fn list_all(
        &self,
        statements: &Statements,
    ) -> Result<Vec<SeenOperation>, ReadError> {
        let mut all = Vec::new();
        for service in self.list_services(statements).await? {
            let operations = self.list_operations(statements, &service).await?;
            all.extend(operations.into_iter().map(|one| SeenOperation {
                service: service.clone(),
                name: one.name,
                kind: one.kind,
                first: 0,
                last: u64::MAX,
            }));
        }
        Ok(all)
    }
}
