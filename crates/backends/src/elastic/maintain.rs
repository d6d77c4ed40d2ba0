//! What is done from time to time, by a person or a job: aliases for indices that are rolled over, a new index when the
//! one that is written to is old or large enough, and the end of old ones.
//!
//! Promises: the same names and aliases as Jaeger's own tools make (`es-rollover`, `es-index-cleaner`), so either may
//! go on with what the other began; an index that is written to is never deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use model::TenantId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, Rotation, path_of};
use super::templates;

/// What there are indices of.
const KINDS: [&str; 3] = ["span", "service", "dependencies"];
/// What a cleaner may delete, besides.
const SAMPLING: &str = "sampling";
const ARCHIVE: &str = "span-archive";
const MILLIS_PER_DAY: u64 = 86_400_000;
/// So many names stand in one request to delete.
const DELETED_AT_ONCE: usize = 30;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Elasticsearch: {0}")]
pub struct MaintainError(String);

impl From<Fault> for MaintainError {
    #[allow(clippy::needless_pass_by_value, reason = "the form that `?` calls")]
    fn from(fault: Fault) -> Self {
        Self(fault.reason())
    }
}

/// What is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleaned {
    /// What is written every day.
    Current,
    /// What somebody archived, of which there are several indices only where they are rolled over.
    Archive,
}

/// An index, as it is listed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Listed {
    aliases: BTreeMap<String, Value>,
    settings: ListedSettings,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ListedSettings {
    /// Milliseconds since the epoch.
    #[serde(rename = "index.creation_date")]
    creation_date: String,
}

impl Listed {
    fn created_millis(&self) -> Option<u64> {
        self.settings.creation_date.parse().ok()
    }
}

#[derive(Deserialize)]
struct RolledOver {
    #[serde(default)]
    rolled_over: bool,
    #[serde(default)]
    new_index: String,
}

impl Elastic {
    /// Makes a tenant's first index of each kind with its aliases, where there are none yet; tells which were made.
    ///
    /// # Errors
    /// When the server refuses something or is away.
    pub async fn begin_rollover(
        &self,
        tenant: &TenantId,
        has_archive: bool,
    ) -> Result<Vec<String>, MaintainError> {
        let indices = self.indices(tenant);
        let dialect = self.dialect().await?;
        let mut puts = templates::install(dialect, &indices, &self.options);
        puts.push(templates::of_dependencies(dialect, &indices, &self.options));
        for put in puts {
            self.client
                .ask(&put.method, &put.path, Body::Json(put.body))
                .await?;
        }
        let mut made = Vec::new();
        for kind in kinds(has_archive) {
            let name = format!("{}-000001", indices.template(kind));
            if self.is_there(&indices, kind).await? {
                continue;
            }
            self.client
                .ask(&Method::PUT, &path_of(&name, ""), Body::None)
                .await?;
            let actions = ["read", "write"].map(|alias| {
                let alias = format!("{}-{alias}", indices.template(kind));
                json!({"add": {"alias": alias, "index": name}})
            });
            self.change_aliases(&actions).await?;
            made.push(name);
        }
        Ok(made)
    }

    /// Has each kind of a tenant go on in a new index where the one that is written to meets a condition, such as
    /// `{"max_age": "2d"}`; what is older than a look back is read no longer. Tells what was done.
    ///
    /// # Errors
    /// When the server refuses something or is away.
    pub async fn roll_over(
        &self,
        tenant: &TenantId,
        conditions: &Value,
        has_archive: bool,
        lookback: Option<Duration>,
        now_unix_millis: u64,
    ) -> Result<Vec<String>, MaintainError> {
        let indices = self.indices(tenant);
        let mut done = Vec::new();
        for kind in kinds(has_archive) {
            let template = indices.template(kind);
            let path = path_of(&format!("{template}-write"), "/_rollover/");
            let asked = Body::Json(json!({"conditions": conditions}));
            let told: RolledOver = self.client.ask_json(&Method::POST, &path, asked).await?;
            if !told.rolled_over {
                continue;
            }
            let alias = format!("{template}-read");
            let action = json!({"add": {"alias": alias, "index": told.new_index}});
            self.change_aliases(&[action]).await?;
            done.push(format!("{template}: goes on in {}", told.new_index));
        }
        if let Some(lookback) = lookback {
            let millis = u64::try_from(lookback.as_millis()).unwrap_or(u64::MAX);
            let before = now_unix_millis.saturating_sub(millis);
            done.extend(self.look_back(&indices, has_archive, before).await?);
        }
        Ok(done)
    }

    /// Takes what was made before a moment out of what is read.
    async fn look_back(
        &self,
        indices: &Indices,
        has_archive: bool,
        before_unix_millis: u64,
    ) -> Result<Vec<String>, MaintainError> {
        let mut done = Vec::new();
        let listed = self.listed(indices).await?;
        for kind in kinds(has_archive) {
            let template = indices.template(kind);
            let (read, write) = (format!("{template}-read"), format!("{template}-write"));
            let old = listed.iter().filter(|(_, index)| {
                index.aliases.contains_key(&read)
                    && !index.aliases.contains_key(&write)
                    && index
                        .created_millis()
                        .is_some_and(|made| made < before_unix_millis)
            });
            for (name, _) in old {
                let action = json!({"remove": {"alias": read, "index": name}});
                self.change_aliases(&[action]).await?;
                done.push(format!("{name}: is read no longer"));
            }
        }
        Ok(done)
    }

    /// Deletes a tenant's indices that were made more than so many whole days ago; tells which. Nothing is deleted if
    /// that is only to be tried.
    ///
    /// # Errors
    /// When the server refuses something or is away.
    pub async fn clean(
        &self,
        tenant: &TenantId,
        days: u32,
        what: Cleaned,
        is_trial: bool,
        now_unix_millis: u64,
    ) -> Result<Vec<String>, MaintainError> {
        let indices = self.indices(tenant);
        let tomorrow = (now_unix_millis / MILLIS_PER_DAY + 1) * MILLIS_PER_DAY;
        let before = tomorrow.saturating_sub(u64::from(days) * MILLIS_PER_DAY);
        let listed = self.listed(&indices).await?;
        let old = old_of(&indices, self.options.rotation, what, &listed, before);
        if is_trial {
            return Ok(old);
        }
        for names in old.chunks(DELETED_AT_ONCE) {
            let path = path_of(&names.join(","), "?master_timeout=120s");
            self.client.ask(&Method::DELETE, &path, Body::None).await?;
        }
        Ok(old)
    }

    async fn listed(&self, indices: &Indices) -> Result<BTreeMap<String, Listed>, Fault> {
        let pattern = format!("{}jaeger-*,{}", indices.prefix(), indices.all_sums());
        let rest = "?flat_settings=true&filter_path=*.aliases,*.settings";
        let path = path_of(&pattern, rest);
        self.client.ask_json(&Method::GET, &path, Body::None).await
    }

    /// Whether a kind has an index of any number.
    async fn is_there(&self, indices: &Indices, kind: &str) -> Result<bool, Fault> {
        let write = format!("{}-write", indices.template(kind));
        let listed = self.listed(indices).await?;
        Ok(listed
            .values()
            .any(|index| index.aliases.contains_key(&write)))
    }

    async fn change_aliases(&self, actions: &[Value]) -> Result<(), Fault> {
        let asked = Body::Json(json!({"actions": actions}));
        self.client.ask(&Method::POST, "/_aliases", asked).await?;
        Ok(())
    }
}

fn kinds(has_archive: bool) -> Vec<&'static str> {
    let mut kinds = KINDS.to_vec();
    if has_archive {
        kinds.push(ARCHIVE);
    }
    kinds
}

/// The indices that were made before a moment, and are not written to.
fn old_of(
    indices: &Indices,
    rotation: Rotation,
    what: Cleaned,
    listed: &BTreeMap<String, Listed>,
    before_unix_millis: u64,
) -> Vec<String> {
    let kinds: &[&str] = match what {
        Cleaned::Current => &["span", "service", "dependencies", SAMPLING],
        Cleaned::Archive => &[ARCHIVE],
    };
    let is_one = |name: &str| {
        // Counts go with their days, however spans are rolled over.
        let counts = name.strip_prefix(&indices.sums_prefix());
        let is_counts = counts.is_some_and(|day| has_form(day, "dddd-dd-dd"));
        is_counts && what == Cleaned::Current
            || kinds.iter().any(|kind| {
                let rest = name.strip_prefix(&format!("{}-", indices.template(kind)));
                rest.is_some_and(|rest| match (rotation, what) {
                    (Rotation::Daily, Cleaned::Current) => has_form(rest, &indices.form_of_date()),
                    (Rotation::Rollover, _) | (_, Cleaned::Archive) => has_form(rest, "dddddd"),
                })
            })
    };
    let is_old = |index: &Listed| {
        let is_written = index.aliases.keys().any(|alias| alias.ends_with("-write"));
        !is_written
            && index
                .created_millis()
                .is_some_and(|made| made < before_unix_millis)
    };
    let old = listed
        .iter()
        .filter(|(name, index)| is_one(name) && is_old(index));
    old.map(|(name, _)| name.clone()).collect()
}

/// Whether a text has the form of another, in which `d` is a digit.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(created: u64, aliases: &[&str]) -> Listed {
        Listed {
            aliases: aliases
                .iter()
                .map(|name| ((*name).to_owned(), Value::Null))
                .collect(),
            settings: ListedSettings {
                creation_date: created.to_string(),
            },
        }
    }

    #[test]
    fn only_what_is_old_and_ours_is_deleted() {
        let indices = |names: &[(&str, u64, &[&str])]| {
            let listed = names
                .iter()
                .map(|(name, made, aliases)| ((*name).to_owned(), listed(*made, aliases)));
            listed.collect::<BTreeMap<_, _>>()
        };
        let all = indices(&[
            ("a-jaeger-span-2026-01-15", 5, &[]),
            ("a-jaeger-service-2026-01-15", 5, &[]),
            ("a-jaeger-sampling-2026-01-15", 5, &[]),
            ("a-jaeger-span-2026-01-16", 10, &[]),
            ("a-jaeger-span-archive", 5, &[]),
            (
                "a-jaeger-span-archive-000001",
                5,
                &["a-jaeger-span-archive-read"],
            ),
            ("a-jaeger-span-000001", 5, &["a-jaeger-span-read"]),
            (
                "a-jaeger-span-000002",
                5,
                &["a-jaeger-span-read", "a-jaeger-span-write"],
            ),
            ("a-jaeger-other-2026-01-15", 5, &[]),
            ("a-trackway-sums-2026-01-15", 5, &[]),
            ("a-trackway-sums-2026-01-16", 10, &[]),
            ("a-jaeger-span-2026-01-1x", 5, &[]),
            ("a-jaeger-span-2026.01.15", 5, &[]),
        ]);
        let of = Indices::new("a", &TenantId::default());
        let old = |rotation, what| old_of(&of, rotation, what, &all, 10).join(" ");
        assert_eq!(
            old(Rotation::Daily, Cleaned::Current),
            "a-jaeger-sampling-2026-01-15 a-jaeger-service-2026-01-15 a-jaeger-span-2026-01-15 \
             a-trackway-sums-2026-01-15"
        );
        let dotted = of.clone().dated('.');
        assert_eq!(
            old_of(&dotted, Rotation::Daily, Cleaned::Current, &all, 10),
            ["a-jaeger-span-2026.01.15", "a-trackway-sums-2026-01-15"]
        );
        assert_eq!(
            old(Rotation::Rollover, Cleaned::Current),
            "a-jaeger-span-000001 a-trackway-sums-2026-01-15"
        );
        assert_eq!(
            old(Rotation::Rollover, Cleaned::Archive),
            "a-jaeger-span-archive-000001"
        );
    }
}
