//! Which methods are answered on which port.

use super::storage_v1 as s1;
use super::storage_v2 as s2;
use super::{Answered, Table, frame, health, reflection, v2, v3};

const V2: &str = "jaeger.api_v2.QueryService";
const V3: &str = "jaeger.api_v3.QueryService";
const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

const ARCHIVE_READER: &str = "jaeger.storage.v1.ArchiveSpanReaderPlugin";
const ARCHIVE_WRITER: &str = "jaeger.storage.v1.ArchiveSpanWriterPlugin";
const DEPENDENCIES: &str = "jaeger.storage.v1.DependenciesReaderPlugin";
const PLUGIN_CAPABILITIES: &str = "jaeger.storage.v1.PluginCapabilities";
const READER: &str = "jaeger.storage.v1.SpanReaderPlugin";
const WRITER: &str = "jaeger.storage.v1.SpanWriterPlugin";
const STREAMING_WRITER: &str = "jaeger.storage.v1.StreamingSpanWriterPlugin";
const CAPABILITIES: &str = "jaeger.storage.v2.Capabilities";
const DEPENDENCY_READER: &str = "jaeger.storage.v2.DependencyReader";
const TRACE_READER: &str = "jaeger.storage.v2.TraceReader";
/// Not a service: what Jaeger asks the health of, where it means OTLP's service below.
const TRACE_WRITER: &str = "jaeger.storage.v2.TraceWriter";
const OTLP: &str = "opentelemetry.proto.collector.trace.v1.TraceService";

/// Jaeger's query service.
pub(super) static QUERY: Table = Table {
    services: &[HEALTH, REFLECTION, REFLECTION_ALPHA, V2, V3],
    order: None,
    find: find_query,
};

/// A store for Jaeger.
pub(super) static STORAGE: Table = Table {
    services: &[
        HEALTH,
        REFLECTION,
        REFLECTION_ALPHA,
        ARCHIVE_READER,
        ARCHIVE_WRITER,
        DEPENDENCIES,
        PLUGIN_CAPABILITIES,
        READER,
        WRITER,
        STREAMING_WRITER,
        CAPABILITIES,
        DEPENDENCY_READER,
        TRACE_READER,
        TRACE_WRITER,
        OTLP,
    ],
    order: Some("newest-first"),
    find: find_storage,
};

/// Makes a method of one message from what answers it.
macro_rules! unary {
    ($name:literal, $answer:path) => {
        Answered {
            name: $name,
            run: |jaeger, _, incoming| {
                Box::pin(async move {
                    let message = incoming.only().await?;
                    $answer(jaeger, frame::decode(&message)?).await
                })
            },
        }
    };
}

/// What every port answers.
fn find_common(service: &str, method: &str) -> Option<Answered> {
    match (service, method) {
        (HEALTH, "Check") => Some(Answered {
            name: "health.Check",
            run: |_, table, incoming| {
                Box::pin(async move {
                    let message = incoming.only().await?;
                    health::check(table, &frame::decode(&message)?)
                })
            },
        }),
        (REFLECTION | REFLECTION_ALPHA, "ServerReflectionInfo") => Some(Answered {
            name: "reflection",
            run: |_, table, incoming| {
                Box::pin(async move { Ok(reflection::answer(table, incoming)) })
            },
        }),
        _ => None,
    }
}

fn find_query(service: &str, method: &str) -> Option<Answered> {
    Some(match (service, method) {
        (V2, "GetTrace") => unary!("v2.GetTrace", v2::get_trace),
        (V2, "FindTraces") => unary!("v2.FindTraces", v2::find_traces),
        (V2, "ArchiveTrace") => unary!("v2.ArchiveTrace", v2::archive_trace),
        (V2, "GetServices") => unary!("v2.GetServices", v2::get_services),
        (V2, "GetOperations") => unary!("v2.GetOperations", v2::get_operations),
        (V2, "GetDependencies") => unary!("v2.GetDependencies", v2::get_dependencies),
        (V3, "GetTrace") => unary!("v3.GetTrace", v3::get_trace),
        (V3, "FindTraces") => unary!("v3.FindTraces", v3::find_traces),
        (V3, "FindTraceSummaries") => unary!("v3.FindTraceSummaries", v3::find_trace_summaries),
        (V3, "GetServices") => unary!("v3.GetServices", v3::get_services),
        (V3, "GetOperations") => unary!("v3.GetOperations", v3::get_operations),
        (V3, "GetDependencies") => unary!("v3.GetDependencies", v3::get_dependencies),
        _ => return find_common(service, method),
    })
}

fn find_storage(service: &str, method: &str) -> Option<Answered> {
    Some(match (service, method) {
        (TRACE_READER, "GetTraces") => unary!("storage.v2.GetTraces", s2::get_traces),
        (TRACE_READER, "GetServices") => unary!("storage.v2.GetServices", s2::get_services),
        (TRACE_READER, "GetOperations") => unary!("storage.v2.GetOperations", s2::get_operations),
        (TRACE_READER, "FindTraces") => unary!("storage.v2.FindTraces", s2::find_traces),
        (TRACE_READER, "FindTraceIDs") => unary!("storage.v2.FindTraceIDs", s2::find_trace_ids),
        (TRACE_READER, "FindTraceSummaries") => {
            unary!("storage.v2.FindTraceSummaries", s2::find_trace_summaries)
        }
        (DEPENDENCY_READER, "GetDependencies") => {
            unary!("storage.v2.GetDependencies", s2::get_dependencies)
        }
        (CAPABILITIES, "GetCapabilities") => {
            unary!("storage.v2.GetCapabilities", s2::get_capabilities)
        }
        (READER, "GetTrace") => unary!("storage.v1.GetTrace", s1::get_trace),
        (READER, "GetServices") => unary!("storage.v1.GetServices", s1::get_services),
        (READER, "GetOperations") => unary!("storage.v1.GetOperations", s1::get_operations),
        (READER, "FindTraces") => unary!("storage.v1.FindTraces", s1::find_traces),
        (READER, "FindTraceIDs") => unary!("storage.v1.FindTraceIDs", s1::find_trace_ids),
        (ARCHIVE_READER, "GetArchiveTrace") => {
            unary!("storage.v1.GetArchiveTrace", s1::get_archive_trace)
        }
        (DEPENDENCIES, "GetDependencies") => {
            unary!("storage.v1.GetDependencies", s1::get_dependencies)
        }
        (PLUGIN_CAPABILITIES, "Capabilities") => {
            unary!("storage.v1.Capabilities", s1::capabilities)
        }
        _ => return find_common(service, method),
    })
}
