//! All matches from afar: the heatmap, the histogram and the facets of a search.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use model::overview::{self, FacetAnswer, OverviewOf, OverviewRequest};
use model::predicate::Place;
use model::{Field as Column, ValueType};
use traceql::{Field, Intrinsic, Kind, Literal, Scope, Status};

use super::Ui;
use super::answers::Skipped;
use super::answers::explore::{Bucket, Cells, Facet, FacetValue, OverviewAnswer, SpanPointer};
use super::error::UiError;
use super::parameters::Parameters;
use crate::guard::For;
use crate::kinds;

const STEPS: u64 = 60;
const STEPS_MAX: u64 = 1_000;
/// Values of a facet that are told.
const FACET_VALUES: usize = 100;
/// Spans that facets are counted over; of more the newest are.
const FACET_ROWS_MAX: u64 = 2_000_000;

/// `GET /overview?q=&from=&to=&scope=&steps=&facets=`
pub(super) async fn overview(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<Json<OverviewAnswer>, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let question = ui.question(&parameters).await?;
    let of = match question.scope() {
        query::Scope::Traces => OverviewOf::Traces,
        query::Scope::Entry => OverviewOf::EntrySpans,
        query::Scope::Spans => OverviewOf::Spans,
    };
    let Some(counted) = question.counted else {
        return Err(UiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "matches of this query can only be listed: it asks for what is known of whole traces besides their \
             duration, or compares two fields",
        )
        .with_hint("the list below is complete; for a heatmap leave such conditions out"));
    };
    let window = parameters.window(ui.parts.clock.unix_nanos())?;
    let fields = parameters.fields("facets")?;
    let columns = fields
        .iter()
        .map(column_of)
        .collect::<Result<Vec<_>, _>>()?;
    let steps = parameters.number("steps", STEPS, STEPS_MAX)?.max(1);
    let request = OverviewRequest {
        tenant: ui.parts.tenant.clone(),
        predicate: counted.predicate,
        window,
        trace_duration: counted.trace_duration,
        of,
        time_steps: u32::try_from(steps).unwrap_or(1),
        facets: columns,
        facet_values_max: FACET_VALUES,
        rows_max: FACET_ROWS_MAX,
    };
    let answer = ui.parts.query.overview(request).await?;
    let told = ui.work(move || tell(answer, &fields)).await?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "a step is drawn, not computed with"
    )]
    let step_ns = ((window.end - window.start) as f64 + 1.0) / steps as f64;
    Ok(Json(OverviewAnswer {
        from_ns: window.start.to_string(),
        to_ns: window.end.to_string(),
        step_ns,
        ..told
    }))
}

/// The field of the store that a field of the language is.
fn column_of(field: &Field) -> Result<Column, UiError> {
    let column = match field {
        Field::Attribute { scope, key } if key == "service.name" && *scope == Scope::Resource => {
            Some(Column::Service)
        }
        Field::Attribute { scope, key } => Some(Column::Attribute {
            place: match scope {
                Scope::Either | Scope::Span => Place::Span,
                Scope::Resource => Place::Resource,
                Scope::Instrumentation => Place::Scope,
                Scope::Event => Place::Event,
                Scope::Link => Place::Link,
            },
            key: key.clone(),
        }),
        Field::Intrinsic(intrinsic) => match intrinsic {
            Intrinsic::Name => Some(Column::Name),
            Intrinsic::Kind => Some(Column::Kind),
            Intrinsic::Status => Some(Column::Status),
            Intrinsic::StatusMessage => Some(Column::StatusMessage),
            Intrinsic::ScopeName => Some(Column::ScopeName),
            Intrinsic::ScopeVersion => Some(Column::ScopeVersion),
            Intrinsic::EventName => Some(Column::EventName),
            _ => None,
        },
    };
    column.ok_or_else(|| UiError::bad_request(format!("there is no facet of {field}")))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "bounds and shares are drawn, not computed with"
)]
fn tell(answer: overview::OverviewAnswer, fields: &[Field]) -> OverviewAnswer {
    let mut places: BTreeMap<i32, u32> = BTreeMap::new();
    for cell in &answer.cells {
        places.entry(cell.duration_bucket).or_default();
    }
    let mut buckets = Vec::with_capacity(places.len());
    for (bucket, place) in &mut places {
        let (from, to) = overview::bounds_of(*bucket);
        *place = u32::try_from(buckets.len()).unwrap_or(u32::MAX);
        buckets.push(Bucket {
            from_ns: from as f64,
            to_ns: to as f64 + 1.0,
        });
    }
    let mut cells = Cells::default();
    for cell in answer.cells {
        cells.step.push(cell.step);
        cells.bucket.push(
            places
                .get(&cell.duration_bucket)
                .copied()
                .unwrap_or_default(),
        );
        cells.count.push(cell.count);
        cells.errors.push(cell.errors);
        let (trace, span, duration) = cell.slowest;
        cells.slowest.push(SpanPointer {
            trace_id: trace.to_string(),
            span_id: (!span.is_zero()).then(|| span.to_string()),
            duration_ns: duration as f64,
        });
    }
    let share = match answer.facets_matching {
        0 => 1.0,
        matching => answer.facets_looked_at as f64 / matching as f64,
    };
    OverviewAnswer {
        from_ns: String::new(),
        to_ns: String::new(),
        step_ns: 0.0,
        points: answer.points,
        errors: answer.errors,
        spans: answer.spans,
        cells,
        buckets,
        facets: answer.facets.into_iter().zip(fields).map(facet).collect(),
        facet_share: share,
        skipped: Skipped::all(&answer.skipped),
    }
}

fn facet((answer, field): (FacetAnswer, &Field)) -> Facet {
    let value = |value: overview::FacetValue| {
        let (shown, literal) = written(field, value.value_type, value.text);
        FacetValue {
            value: shown,
            literal,
            count: value.count,
            errors: value.errors,
        }
    };
    Facet {
        field: field.to_string(),
        values: answer.values.into_iter().map(value).collect(),
        others: answer.others,
        missing: answer.missing,
    }
}

/// A value as it is shown, and as a query writes it.
fn written(field: &Field, value_type: ValueType, text: String) -> (String, String) {
    let word = match field {
        Field::Intrinsic(Intrinsic::Status) => Status::ALL
            .into_iter()
            .find(|status| status.number().to_string() == text)
            .map(Status::text),
        Field::Intrinsic(Intrinsic::Kind) => {
            let number = text.parse().ok();
            number.and_then(kinds::of_number).map(Kind::text)
        }
        _ => None,
    };
    if let Some(word) = word {
        return (word.to_owned(), word.to_owned());
    }
    match value_type {
        ValueType::Int | ValueType::Double | ValueType::Bool => (text.clone(), text),
        _ => (text.clone(), Literal::String(text).to_string()),
    }
}
