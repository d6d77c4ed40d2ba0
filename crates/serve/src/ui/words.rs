//! The words of queries: what a text says, and what may stand at a place of it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::RawQuery;
use model::predicate::Place;
use model::seen::{SeenAnswer, ValuesRequest};
use traceql::{CompareOp, Field, Intrinsic, Literal, Scope, Wanted};

use super::Ui;
use super::answers::explore::{
    Chip, Comparison, CompletionAnswer, CompletionItem, CompletionKind, QueryAnswer,
};
use super::error::UiError;
use super::parameters::Parameters;
use super::text;
use crate::guard::For;

/// Most completions of one answer.
const ITEMS_MAX: usize = 50;
/// The attribute that names the service.
const SERVICE_NAME: &str = "service.name";

/// `GET /query?q=`
pub(super) async fn query(RawQuery(query): RawQuery) -> Json<QueryAnswer> {
    let parameters = Parameters::parse(query.as_deref());
    let q = parameters.text("q");
    let parsed = traceql::parse(if q.trim().is_empty() { "{}" } else { q });
    let diagnostics = text::diagnostics(q, &parsed.diagnostics);
    let chips = parsed
        .query
        .as_ref()
        .map(traceql::chips)
        .unwrap_or_default();
    let chip = |chip: traceql::Chip| Chip {
        text: chip.text,
        comparison: chip
            .field
            .filter(|_| chip.is_editable)
            .map(|field| Comparison {
                field: field.to_string(),
                op: chip.op.map_or("", CompareOp::text).to_owned(),
                value: chip
                    .value
                    .map_or_else(String::new, |value| value.to_string()),
            }),
    };
    Json(QueryAnswer {
        canonical: parsed.query.map(|query| query.to_string()),
        chips: chips.into_iter().map(chip).collect(),
        diagnostics,
    })
}

/// `GET /complete?q=&at=`
pub(super) async fn complete(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<CompletionAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let q = parameters.text("q");
    let at = parameters.number("at", u64::from(u32::MAX), u64::from(u32::MAX))?;
    let at = text::byte_of(q, usize::try_from(at).unwrap_or(usize::MAX));
    let completion = traceql::complete(q, at);
    let mut items = Items::default();
    for wanted in &completion.wants {
        ui.suggest(wanted, &mut items).await?;
    }
    let wants_field = completion
        .wants
        .iter()
        .any(|wanted| matches!(wanted, Wanted::Field { .. } | Wanted::Scope { .. }));
    let kind = match completion.wants.first() {
        _ if wants_field => CompletionKind::Field,
        Some(Wanted::Operator { .. }) => CompletionKind::Operator,
        Some(Wanted::Value { .. }) => CompletionKind::Value,
        _ => CompletionKind::Logic,
    };
    let own = completion.items.into_iter().map(|item| CompletionItem {
        text: item.text,
        kind,
        detail: item.help.to_owned(),
        count: None,
    });
    items.all.extend(own);
    let is_all = items.is_all && items.all.len() <= ITEMS_MAX;
    items.all.truncate(ITEMS_MAX);
    Ok(Json(CompletionAnswer {
        from: text::utf16_of(q, completion.replace.start),
        to: text::utf16_of(q, completion.replace.end),
        items: items.all,
        is_all,
    }))
}

struct Items {
    all: Vec<CompletionItem>,
    is_all: bool,
}

impl Default for Items {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            is_all: true,
        }
    }
}

impl Ui {
    /// Adds what the store knows.
    async fn suggest(&self, wanted: &Wanted, items: &mut Items) -> Result<(), UiError> {
        match wanted {
            Wanted::Field { scope, prefix } => {
                let seen = self.parts.query.seen(&self.parts.tenant).await?;
                items.is_all &= seen.has_all_keys;
                items.all.extend(keys(&seen, *scope, prefix));
            }
            Wanted::Value {
                field: Some(field),
                prefix,
                ..
            } => self.suggest_values(field, prefix, items).await?,
            _ => {}
        }
        Ok(())
    }

    async fn suggest_values(
        &self,
        field: &Field,
        prefix: &str,
        items: &mut Items,
    ) -> Result<(), UiError> {
        let value = |text: String, detail: &str| CompletionItem {
            text: Literal::String(text).to_string(),
            kind: CompletionKind::Value,
            detail: detail.to_owned(),
            count: None,
        };
        let is_near = |text: &str| text.to_lowercase().contains(&prefix.to_lowercase());
        match field {
            Field::Attribute {
                scope: Scope::Resource | Scope::Either,
                key,
            } if key == SERVICE_NAME => {
                let services = self.parts.query.services(&self.parts.tenant).await?;
                let near = services.into_iter().filter(|name| is_near(name));
                items.all.extend(near.map(|name| value(name, "service")));
            }
            Field::Intrinsic(Intrinsic::Name | Intrinsic::RootName) => {
                let seen = self.parts.query.seen(&self.parts.tenant).await?;
                items.is_all &= seen.has_all_operations;
                let mut names: Vec<String> =
                    seen.operations.into_iter().map(|of| of.name).collect();
                names.sort_unstable();
                names.dedup();
                let near = names.into_iter().filter(|name| is_near(name));
                items.all.extend(near.map(|name| value(name, "operation")));
            }
            Field::Attribute { scope, key } => {
                let seen = self.parts.query.seen(&self.parts.tenant).await?;
                for place in places(*scope) {
                    self.suggest_of_key(&seen, (place, key), prefix, items)
                        .await?;
                }
            }
            Field::Intrinsic(_) => {}
        }
        Ok(())
    }

    /// The values of a key: as text or as they are written, by the types that the key has.
    async fn suggest_of_key(
        &self,
        seen: &SeenAnswer,
        (place, key): (Place, &str),
        prefix: &str,
        items: &mut Items,
    ) -> Result<(), UiError> {
        let mut types = seen
            .keys
            .iter()
            .filter(|of| of.place == place && of.key == key);
        let Some(first) = types.next() else {
            return Ok(());
        };
        let is_text = types
            .chain([first])
            .all(|of| of.value_type == model::ValueType::String);
        let request = ValuesRequest {
            tenant: self.parts.tenant.clone(),
            place,
            key: key.to_owned(),
            prefix: prefix.to_owned(),
            limit: ITEMS_MAX,
        };
        let answer = self.parts.query.values(request).await?;
        items.is_all &= answer.is_all;
        items.all.extend(answer.values.into_iter().map(|text| {
            let is_number =
                !is_text && (text.parse::<f64>().is_ok() || text == "true" || text == "false");
            CompletionItem {
                text: if is_number {
                    text
                } else {
                    Literal::String(text).to_string()
                },
                kind: CompletionKind::Value,
                detail: String::new(),
                count: None,
            }
        }));
        Ok(())
    }
}

fn places(scope: Scope) -> Vec<Place> {
    match scope {
        Scope::Either => vec![Place::Span, Place::Resource],
        Scope::Span => vec![Place::Span],
        Scope::Resource => vec![Place::Resource],
        Scope::Instrumentation => vec![Place::Scope],
        Scope::Event => vec![Place::Event],
        Scope::Link => vec![Place::Link],
    }
}

fn scope_of(place: Place) -> Scope {
    match place {
        Place::Resource => Scope::Resource,
        Place::Scope => Scope::Instrumentation,
        Place::Event => Scope::Event,
        Place::Link => Scope::Link,
        Place::Span | Place::Anywhere => Scope::Span,
    }
}

/// The keys that a text may be the beginning of, or a part; the most frequent first.
fn keys(seen: &SeenAnswer, scope: Option<Scope>, prefix: &str) -> Vec<CompletionItem> {
    let prefix = prefix.trim_start_matches('.').to_lowercase();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for key in &seen.keys {
        let of_key = scope_of(key.place);
        let fits = match scope {
            None | Some(Scope::Either) => true,
            Some(scope) => scope == of_key,
        };
        let text = Field::attribute(of_key, &key.key).to_string();
        if fits && text.to_lowercase().contains(&prefix) {
            *counts.entry(text).or_default() += key.count;
        }
    }
    let mut items: Vec<CompletionItem> = counts
        .into_iter()
        .map(|(text, count)| CompletionItem {
            text,
            kind: CompletionKind::Attribute,
            detail: "attribute".to_owned(),
            count: Some(count),
        })
        .collect();
    let begins = |item: &CompletionItem| {
        let key = item.text.split_once('.').map_or("", |(_, key)| key);
        key.to_lowercase().starts_with(&prefix)
    };
    items.sort_by_key(|item| (!begins(item), std::cmp::Reverse(item.count)));
    items
}

/// `GET /services`
pub(super) async fn services(
    For(ui): For<Ui>,
) -> Result<Json<super::answers::ServicesAnswer>, UiError> {
    let services = ui.parts.query.services(&ui.parts.tenant).await?;
    Ok(Json(super::answers::ServicesAnswer { services }))
}
