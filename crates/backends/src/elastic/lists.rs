//! Which services there are, and which operations these have, from the documents that say so.
//!
//! Promises: all of them, however many; of an operation that nobody told the kind of it is 0.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use model::contract::{Operation, ReadError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, search_path};
use crate::words::kind_number;

/// Groups that are given at once.
const PAGE_GROUPS: usize = 1_000;

/// The member by which a document says of which kind an operation is: one that Jaeger's template of services takes for
/// a keyword, so that it is one whoever installed the template.
pub(super) const KIND_MEMBER: &str = "span@kind";
const KIND_FIELD: &str = "tag.span@kind";

/// How kind 0 is written: a document without a kind is Jaeger's and tells none.
pub(super) const KIND_UNSPECIFIED: &str = "unspecified";

#[derive(Deserialize)]
struct Grouped {
    aggregations: Option<Groups>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Page,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    after_key: Option<Value>,
    buckets: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    key: BTreeMap<String, Option<String>>,
}

impl Elastic {
    pub(super) async fn list_services(&self, indices: &Indices) -> Result<Vec<String>, ReadError> {
        let groups = self.groups(indices, &["serviceName"], None).await?;
        let names = groups
            .into_iter()
            .filter_map(|mut group| group.remove("serviceName")?);
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    pub(super) async fn list_operations(
        &self,
        indices: &Indices,
        service: &str,
    ) -> Result<Vec<Operation>, ReadError> {
        let groups = self
            .groups(indices, &["operationName", KIND_FIELD], Some(service))
            .await?;
        let named = groups.into_iter().filter_map(|mut group| {
            let kind = group.remove(KIND_FIELD).flatten();
            Some((group.remove("operationName")??, kind))
        });
        Ok(with_kinds(named))
    }

    /// All operations of all services.
    pub(super) async fn list_all(
        &self,
        indices: &Indices,
    ) -> Result<Vec<(String, Operation)>, ReadError> {
        let fields = ["serviceName", "operationName", KIND_FIELD];
        let mut by_service: BTreeMap<String, Vec<(String, Option<String>)>> = BTreeMap::new();
        for mut group in self.groups(indices, &fields, None).await? {
            let kind = group.remove(KIND_FIELD).flatten();
            let names = (group.remove("serviceName"), group.remove("operationName"));
            if let (Some(Some(service)), Some(Some(name))) = names {
                by_service.entry(service).or_default().push((name, kind));
            }
        }
        let all = by_service.into_iter().flat_map(|(service, named)| {
            let operations = with_kinds(named.into_iter());
            operations
                .into_iter()
                .map(move |one| (service.clone(), one))
        });
        Ok(all.collect())
    }

    /// What stands together in some fields.
    async fn groups(
        &self,
        indices: &Indices,
        fields: &[&str],
        service: Option<&str>,
    ) -> Result<Vec<BTreeMap<String, Option<String>>>, ReadError> {
        let sources: Vec<Value> = fields
            .iter()
            .map(|field| {
                let terms =
                    json!({"terms": {"field": field, "missing_bucket": *field == KIND_FIELD}});
                let mut source = serde_json::Map::new();
                source.insert((*field).to_owned(), terms);
                Value::Object(source)
            })
            .collect();
        let query = match service {
            Some(service) => json!({"term": {"serviceName": service}}),
            None => json!({"match_all": {}}),
        };
        let path = search_path(&indices.all_services());
        let (mut found, mut after) = (Vec::new(), None::<Value>);
        loop {
            let mut composite = json!({"size": PAGE_GROUPS, "sources": sources});
            if let (Some(after), Some(composite)) = (after.take(), composite.as_object_mut()) {
                composite.insert("after".to_owned(), after);
            }
            let asked = json!({
                "size": 0,
                "query": query,
                "aggs": {"groups": {"composite": composite}},
            });
            let answer: Grouped = self
                .client
                .ask_json(&Method::POST, &path, Body::Json(asked))
                .await
                .map_err(Fault::unread)?;
            let Some(Groups { groups }) = answer.aggregations else {
                return Ok(found);
            };
            let is_last = groups.buckets.len() < PAGE_GROUPS;
            found.extend(groups.buckets.into_iter().map(|group| group.key));
            if is_last || groups.after_key.is_none() {
                return Ok(found);
            }
            after = groups.after_key;
        }
    }
}

/// Operations by name and kind; a name that comes with kinds is not listed without one.
fn with_kinds(named: impl Iterator<Item = (String, Option<String>)>) -> Vec<Operation> {
    let mut kinds: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for (name, kind) in named {
        kinds
            .entry(name)
            .or_default()
            .extend(kind.map(|kind| kind_number(&kind)));
    }
    let mut operations = Vec::new();
    for (name, mut kinds) in kinds {
        if kinds.is_empty() {
            kinds.insert(0);
        }
        operations.extend(kinds.into_iter().map(|kind| Operation {
            name: name.clone(),
            kind,
        }));
    }
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_known_hides_that_others_told_none() {
        let named = [
            ("a", None),
            ("a", Some("server")),
            ("a", Some(KIND_UNSPECIFIED)),
            ("b", None),
        ];
        let named = named.map(|(name, kind)| (name.to_owned(), kind.map(str::to_owned)));
        let operations = with_kinds(named.into_iter());
        let listed: Vec<_> = operations
            .iter()
            .map(|one| (one.name.as_str(), one.kind))
            .collect();
        assert_eq!(listed, [("a", 0), ("a", 2), ("b", 0)]);
    }
}
