//! Makes what others read of the answers: the app's types, and the description of the API.
//!
//! `UPDATE=1` writes both anew; else a difference is a failure, so that they are current in every commit.

use std::path::{Path, PathBuf};

use ts_rs::TS;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder, PathsBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::*;
use crate::app::{Boot, Capabilities, Limits, LinkKind, LinkTemplate, MenuLink, ReceiverAddress};
use crate::ui::paths;

macro_rules! every_type {
    ($with:ident) => {
        $with!(
            Boot,
            Capabilities,
            Limits,
            ReceiverAddress,
            LinkKind,
            LinkTemplate,
            MenuLink,
            Skipped,
            ApiErrorBody,
            ApiError,
            Severity,
            Diagnostic,
            Proposal,
            ServiceShare,
            SpanStatus,
            SpanKind,
            MatchedSpan,
            Root,
            TraceSummary,
            SearchLine,
            AttributeValue,
            KeyValue,
            SpanEvent,
            SpanLink,
            InstrumentationScope,
            SpanDetails,
            SpansAnswer,
            ServicesAnswer,
            explore::Comparison,
            explore::Chip,
            explore::QueryAnswer,
            explore::CompletionKind,
            explore::CompletionItem,
            explore::CompletionAnswer,
            explore::SpanPointer,
            explore::Bucket,
            explore::Cells,
            explore::FacetValue,
            explore::Facet,
            explore::OverviewAnswer,
            explore::TailSpan,
            explore::TailEvent,
            red::RedPoint,
            red::RedSeries,
            red::RedAnswer,
            red::MapNode,
            red::Edge,
            red::EdgesAnswer,
            red::PathAnswer,
            red::PathPart,
            red::LookKind,
            red::Look,
            red::HomeAnswer,
            compare::CompareAnswer,
            compare::ComparedTrace,
            compare::CompareCause,
            compare::CompareNode,
            trace::FindAnswer,
            trace::TraceKey,
            trace::TraceKeysAnswer,
            trace::TraceColumnAnswer,
            trace::TraceEvent,
            trace::TraceEventsAnswer,
            status::ReceiverStatus,
            status::RefusedStatus,
            status::LastRefusal,
            status::StoreGrowth,
            status::StoreStatus,
            status::LedgerStatus,
            status::ProgramStatus,
            status::ServiceStatus,
            status::StatusAnswer,
            status::SentAnswer
        )
    };
}

macro_rules! declarations {
    ($($name:ty),+) => {
        [$((<$name as TS>::docs(), <$name as TS>::decl(&ts_rs::Config::new().with_large_int("number")))),+]
    };
}

macro_rules! schemas {
    ($($name:ty),+) => {
        [$((<$name as ToSchema>::name().into_owned(), <$name as PartialSchema>::schema())),+]
    };
}

fn compare(path: &str, made: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file: PathBuf = root.join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, made).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == made,
        "{path} is not current: UPDATE=1 cargo test -p serve generate"
    );
}

#[test]
fn the_types_of_the_app_are_those_of_the_answers() {
    let mut text = String::from(
        "// Made from the server's structures; UPDATE=1 cargo test -p serve generate\n",
    );
    for (docs, declaration) in every_type!(declarations) {
        text.push('\n');
        text.push_str(&docs.unwrap_or_default());
        text.push_str("export ");
        text.push_str(&declaration);
        text.push('\n');
    }
    compare("web/src/api/generated/types.ts", &text);
}

#[test]
fn the_description_of_the_api_is_current() {
    let mut components = ComponentsBuilder::new();
    for (name, schema) in every_type!(schemas) {
        components = components.schema(name, schema);
    }
    let mut all = PathsBuilder::new();
    for (path, item) in paths::all() {
        all = all.path(path, item);
    }
    let info = InfoBuilder::new()
        .title("Trackway's web app")
        .version("1")
        .description(Some(
            "What the web app asks. It is private to the app and changes with it.",
        ));
    let api = OpenApiBuilder::new()
        .info(info.build())
        .paths(all.build())
        .components(Some(components.build()));
    let mut text = api.build().to_pretty_json().unwrap();
    text.push('\n');
    compare("docs/ui-api.json", &text);
}
