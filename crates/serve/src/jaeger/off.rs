//! Routes of analyses that are not there: Jaeger has samples of them.

use axum::extract::RawQuery;
use axum::response::Response;

use super::envelope::json;
use super::parameters::Parameters;

/// There is no such analysis; Jaeger gives an invented one.
pub(super) async fn deep_dependencies(RawQuery(query): RawQuery) -> Response {
    json(
        "{\"dependencies\":[]}".to_owned(),
        &Parameters::parse(query.as_deref()),
    )
}

/// There is no such analysis; Jaeger gives an invented one.
pub(super) async fn quality_metrics(RawQuery(query): RawQuery) -> Response {
    let empty =
        "{\"traceQualityDocumentationLink\":\"\",\"scores\":[],\"metrics\":[],\"clients\":[]}";
    json(empty.to_owned(), &Parameters::parse(query.as_deref()))
}
