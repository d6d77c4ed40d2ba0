//! `jaeger.storage.v2`: what a Jaeger reads from the store that it is told to use, spans as OTLP.
//!
//! Promises
//! - Spans are given as they are stored: what a query service edits is left to the one that asks.
//! - A message holds spans of one trace; those of one trace follow one another; none is empty.
//! - What the capabilities name is evaluated exactly.
//!
//! Refuses: searches for attributes whose values are arrays or maps.

use std::collections::HashSet;
use std::sync::Arc;

use codec::generated::google::protobuf::Timestamp;
use codec::generated::jaeger::api_v3;
use codec::generated::jaeger::storage::v2::any_value::Value as Any;
use codec::generated::jaeger::storage::v2::{
    Dependency, FilterCapabilities, FindTraceIDsRequest, FindTraceIDsResponse,
    FindTraceSummariesRequest, FindTraceSummariesResponse, FindTracesRequest, FoundTraceId,
    GetCapabilitiesRequest, GetCapabilitiesResponse, GetDependenciesRequest,
    GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse, GetServicesRequest,
    GetServicesResponse, GetTracesRequest, KeyValue, Operation, SearchCapabilities, ServiceSummary,
    TraceQueryParameters, TraceSummary,
};
use futures_util::{StreamExt as _, stream};
use grpc::code;
use model::batch::AttrValue;
use model::contract::DependencyAnswer;
use model::{SpanBatch, TraceId};
use prost::Message as _;

use super::status::Status;
use super::v2::{duration_nanos, nanos_of, operations};
use super::written::{Look, Manner, Write, trace_parts, write_traces};
use super::{Parts, one, one_with, v3};
use crate::jaeger::Jaeger;
use crate::jaeger::ask::{AskError, Search, shown};
use crate::jaeger::v3::summary;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// What is found where nothing is said about it.
const DEPTH_DEFAULT: i64 = 100;
/// Where the filter finds attributes.
const FILTER_LEVELS: [&str; 5] = ["span", "resource", "scope", "event", "link"];
/// What the filter evaluates whatever it is given. `some` is not among them: it takes one condition alone.
const FILTER_OPERATORS: [&str; 13] = [
    "and", "or", "not", "eq", "ne", "gt", "lt", "gte", "lte", "regex", "exists", "in", "not_in",
];

pub(super) fn failed(error: AskError) -> Status {
    Status::of(error, "", code::INVALID_ARGUMENT)
}

fn manner(write: Write) -> Manner {
    Manner {
        look: Look::Stored,
        write,
        refuse: failed,
    }
}

/// A trace's id in 16 bytes, or the low eight of them; nothing is none.
pub(super) fn trace_id_of(bytes: &[u8]) -> Result<TraceId, Status> {
    let mut id = [0; 16];
    match bytes.len() {
        0 => {}
        8 | 16 => {
            let place = id.get_mut(16 - bytes.len()..).unwrap_or_default();
            place.copy_from_slice(bytes);
        }
        length => {
            let message = format!("a trace id has 16 bytes, this one {length}");
            return Err(Status::invalid(message));
        }
    }
    Ok(TraceId(id))
}

/// A number of traces as it is meant: none is the usual one.
pub(super) fn depth_of(depth: i32) -> i64 {
    match depth {
        0 => DEPTH_DEFAULT,
        depth => i64::from(depth),
    }
}

pub(super) async fn get_traces(
    jaeger: Arc<Jaeger>,
    request: GetTracesRequest,
) -> Result<Parts, Status> {
    let ids = request.query.iter();
    let ids = ids.map(|params| trace_id_of(&params.trace_id));
    let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    ids.retain(|id| !id.is_zero() && seen.insert(*id));
    let traces = stream::iter(ids).then(move |id| {
        let jaeger = Arc::clone(&jaeger);
        async move {
            let found = jaeger.find_one(id).await;
            trace_parts(jaeger, found, manner(v3::write)).boxed()
        }
    });
    Ok(traces.flatten().boxed())
}

fn search_of(query: Option<TraceQueryParameters>) -> Result<Search, Status> {
    let query = query.ok_or_else(|| Status::invalid("missing query"))?;
    let attributes = query.attributes.into_iter().map(attribute_of);
    Ok(Search {
        service: query.service_name,
        operation: query.operation_name,
        attributes: attributes.collect::<Result<_, _>>()?,
        start_min: nanos_of(query.start_time_min),
        start_max: nanos_of(query.start_time_max),
        duration_min: duration_nanos(query.duration_min),
        duration_max: duration_nanos(query.duration_max),
        depth: depth_of(query.search_depth),
        is_raw: true,
        filter: query.filter,
    })
}

/// An attribute as it is searched for: by its text, since what people type is text whatever the value's type is.
fn attribute_of(attribute: KeyValue) -> Result<(String, String), Status> {
    let value = attribute.value.and_then(|value| value.value);
    let text = match &value {
        None => AttrValue::Empty.canonical_text(),
        Some(Any::StringValue(text)) => AttrValue::String(text).canonical_text(),
        Some(Any::BoolValue(is)) => AttrValue::Bool(*is).canonical_text(),
        Some(Any::IntValue(int)) => AttrValue::Int(*int).canonical_text(),
        Some(Any::DoubleValue(double)) => AttrValue::Double(*double).canonical_text(),
        Some(Any::BytesValue(bytes)) => AttrValue::Bytes(bytes).canonical_text(),
        Some(Any::ArrayValue(_) | Any::KvlistValue(_)) => {
            let message = format!(
                "the attribute {:?} is to be an array or a map; look for a text or a number",
                attribute.key
            );
            return Err(Status::invalid(message));
        }
    };
    Ok((attribute.key, text.into_owned()))
}

pub(super) async fn find_traces(
    jaeger: Arc<Jaeger>,
    request: FindTracesRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    Ok(write_traces(jaeger, found, manner(v3::write)))
}

pub(super) fn timestamp(nanos: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0),
    }
}

pub(super) async fn find_trace_ids(
    jaeger: Arc<Jaeger>,
    request: FindTraceIDsRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    let trace_ids = found.hits.iter().map(|hit| FoundTraceId {
        trace_id: hit.trace_id.0.to_vec(),
        start: Some(timestamp(hit.start)),
        end: Some(timestamp(hit.end)),
    });
    let answer = FindTraceIDsResponse {
        trace_ids: trace_ids.collect(),
    };
    Ok(one_with(&answer, found.skipped))
}

pub(super) async fn find_trace_summaries(
    jaeger: Arc<Jaeger>,
    request: FindTraceSummariesRequest,
) -> Result<Parts, Status> {
    let search = search_of(request.query)?;
    let found = jaeger.find(&search).await.map_err(failed)?;
    Ok(write_traces(jaeger, found, manner(write_summary)))
}

fn write_summary(spans: &SpanBatch, _: usize) -> (bytes::Bytes, usize) {
    let trace = shown(spans, None);
    let answer = FindTraceSummariesResponse {
        summaries: vec![summary_of(summary::of(&trace), trace.trace_id)],
    };
    (answer.encode_to_vec().into(), spans.len())
}

/// The same summary as API v3's, but for the form of the id.
fn summary_of(shown: api_v3::TraceSummary, trace_id: TraceId) -> TraceSummary {
    let services = shown.services.into_iter().map(|service| ServiceSummary {
        name: service.name,
        span_count: service.span_count,
        error_span_count: service.error_span_count,
    });
    TraceSummary {
        trace_id: trace_id.0.to_vec(),
        root_service_name: shown.root_service_name,
        root_operation_name: shown.root_operation_name,
        min_start_time_unix_nano: shown.min_start_time_unix_nano,
        max_end_time_unix_nano: shown.max_end_time_unix_nano,
        span_count: shown.span_count,
        error_span_count: shown.error_span_count,
        orphan_span_count: shown.orphan_span_count,
        services: services.collect(),
    }
}

pub(super) async fn get_services(
    jaeger: Arc<Jaeger>,
    _: GetServicesRequest,
) -> Result<Parts, Status> {
    let services = services(&jaeger).await?;
    Ok(one(&GetServicesResponse { services }))
}

pub(super) async fn services(jaeger: &Jaeger) -> Result<Vec<String>, Status> {
    let services = jaeger.query.services(&jaeger.tenant).await;
    services.map_err(AskError::from).map_err(failed)
}

pub(super) async fn get_operations(
    jaeger: Arc<Jaeger>,
    request: GetOperationsRequest,
) -> Result<Parts, Status> {
    let found = operations(&jaeger, &request.service, &request.span_kind).await?;
    let operations = found.into_iter().map(|(name, kind)| Operation {
        name,
        span_kind: kind.to_owned(),
    });
    Ok(one(&GetOperationsResponse {
        operations: operations.collect(),
    }))
}

/// The calls between two moments, which both must be given.
pub(super) async fn calls(
    jaeger: &Jaeger,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Result<DependencyAnswer, Status> {
    let (Some(start), Some(end)) = (nanos_of(start), nanos_of(end)) else {
        return Err(Status::invalid("start_time and end_time are required"));
    };
    if end < start {
        return Err(Status::invalid("end_time must not be before start_time"));
    }
    jaeger.calls(start, end).await.map_err(failed)
}

pub(super) async fn get_dependencies(
    jaeger: Arc<Jaeger>,
    request: GetDependenciesRequest,
) -> Result<Parts, Status> {
    let DependencyAnswer { links, skipped } =
        calls(&jaeger, request.start_time, request.end_time).await?;
    let links = links.into_iter().map(|link| Dependency {
        parent: link.parent,
        child: link.child,
        call_count: link.calls,
        source: String::new(),
    });
    let answer = GetDependenciesResponse {
        dependencies: links.collect(),
    };
    Ok(one_with(&answer, skipped))
}

pub(super) async fn get_capabilities(
    _: Arc<Jaeger>,
    _: GetCapabilitiesRequest,
) -> Result<Parts, Status> {
    let filter = FilterCapabilities {
        levels: FILTER_LEVELS.map(str::to_owned).into(),
        operators: FILTER_OPERATORS.map(str::to_owned).into(),
    };
    let search = SearchCapabilities {
        without_service_name: true,
        same_span_conjunction: true,
        filter: Some(filter),
    };
    Ok(one(&GetCapabilitiesResponse {
        search: Some(search),
    }))
}
