//! The routes for the description of the API: what each takes and answers.

use utoipa::openapi::path::{
    OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathItemBuilder,
};
use utoipa::openapi::{ContentBuilder, HttpMethod, Ref, Required, ResponseBuilder};

/// A route: method, path, what it says, its parameters, the type of its answer and how that is sent.
struct Route {
    method: HttpMethod,
    path: &'static str,
    says: &'static str,
    takes: &'static [(&'static str, &'static str)],
    answers: &'static str,
    sent_as: &'static str,
}

const JSON: &str = "application/json";
const FROM: (&str, &str) = (
    "from",
    "ns since the epoch; an hour before `to` when absent",
);
const TO: (&str, &str) = ("to", "ns since the epoch; now when absent");
const Q: (&str, &str) = ("q", "a query (docs/query-language.md); empty: every span");
const SCOPE: (&str, &str) = (
    "scope",
    "traces, entry (spans that enter a service) or spans",
);

/// Every route, by path.
pub(super) fn all() -> Vec<(String, PathItem)> {
    routes()
        .iter()
        .map(|route| (route.path.to_owned(), item(route)))
        .collect()
}

fn route(
    path: &'static str,
    answers: &'static str,
    says: &'static str,
    takes: &'static [(&'static str, &'static str)],
) -> Route {
    Route {
        method: HttpMethod::Get,
        path,
        says,
        takes,
        answers,
        sent_as: JSON,
    }
}

// tidy: long-function: a table
fn routes() -> Vec<Route> {
    const CURSOR: (&str, &str) = ("cursor", "where the page before ended");
    const SORT: (&str, &str) = ("sort", "newest or slowest");
    const STEPS: (&str, &str) = ("steps", "points over the time range");
    vec![
        Route {
            sent_as: "application/x-ndjson",
            ..route(
                "/search",
                "SearchLine",
                "Traces that match, a line each, as they are found",
                &[
                    Q,
                    FROM,
                    TO,
                    SCOPE,
                    SORT,
                    ("limit", "traces of the page"),
                    CURSOR,
                    ("cols", "a field; several: given again"),
                ],
            )
        },
        route(
            "/overview",
            "OverviewAnswer",
            "All matches from afar: heatmap, histogram, facets",
            &[
                Q,
                FROM,
                TO,
                SCOPE,
                STEPS,
                ("facets", "a field; several: given again"),
            ],
        ),
        route(
            "/services",
            "ServicesAnswer",
            "The names of all services",
            &[],
        ),
        route("/query", "QueryAnswer", "A query, read", &[Q]),
        route(
            "/complete",
            "CompletionAnswer",
            "What may stand at a place of a query",
            &[Q, ("at", "the place in UTF-16 units")],
        ),
        Route {
            sent_as: "text/event-stream",
            ..route(
                "/tail",
                "TailEvent",
                "Spans that match, as they arrive",
                &[Q, SCOPE, ("cols", "a field; several: given again")],
            )
        },
        route(
            "/red",
            "RedAnswer",
            "Rate, errors and duration",
            &[
                ("by", "service or operation"),
                ("service", "only this one; several: given again"),
                ("kind", "only spans of this kind; several: given again"),
                FROM,
                TO,
                STEPS,
            ],
        ),
        route(
            "/path",
            "PathAnswer",
            "What the time of an operation goes to: critical paths of a sample of its spans",
            &[
                ("service", "the service"),
                ("operation", "the name of its spans"),
                ("kind", "only spans of this kind"),
                FROM,
                TO,
            ],
        ),
        route(
            "/compare",
            "CompareAnswer",
            "Two traces compared by structure and by time",
            &[
                ("a", "the id of a trace"),
                ("b", "the id of another"),
                ("nodes", "nodes of the common tree that are told"),
            ],
        ),
        route("/edges", "EdgesAnswer", "The map of services", &[FROM, TO]),
        route(
            "/home",
            "HomeAnswer",
            "How everything is, and what needs a look",
            &[FROM, TO],
        ),
        route("/status", "StatusAnswer", "How the program is", &[]),
        Route {
            sent_as: "application/vnd.apache.arrow.stream",
            ..route(
                "/traces/{trace_id}/skeleton",
                "Skeleton",
                "The rows of a trace, as two Arrow streams",
                &[],
            )
        },
        Route {
            method: HttpMethod::Post,
            ..route(
                "/traces/{trace_id}/spans",
                "SpansAnswer",
                "Spans with all that is known of them",
                &[],
            )
        },
        route(
            "/traces/{trace_id}/find",
            "FindAnswer",
            "The rows of a trace that match",
            &[
                Q,
                SCOPE,
                (
                    "words",
                    "instead of a query: words in all that a span holds, -key leaves the attributes of a key out",
                ),
            ],
        ),
        route(
            "/traces/{trace_id}/keys",
            "TraceKeysAnswer",
            "The fields that spans of a trace have",
            &[],
        ),
        route(
            "/traces/{trace_id}/column",
            "TraceColumnAnswer",
            "A field's values by row",
            &[("field", "a field of a query")],
        ),
        route(
            "/traces/{trace_id}/events",
            "TraceEventsAnswer",
            "The events of a trace by time",
            &[],
        ),
        Route {
            method: HttpMethod::Post,
            ..route(
                "/test-trace",
                "SentAnswer",
                "Sends a small trace through the front door",
                &[],
            )
        },
        Route {
            method: HttpMethod::Post,
            ..route(
                "/sample",
                "SentAnswer",
                "Sends an hour of a small shop's traces",
                &[],
            )
        },
    ]
}

fn item(route: &Route) -> PathItem {
    let schema = Ref::from_schema_name(route.answers);
    let content = ContentBuilder::new().schema((route.answers != "Skeleton").then_some(schema));
    let answer = ResponseBuilder::new()
        .description("the answer")
        .content(route.sent_as, content.build());
    let failed = ContentBuilder::new().schema(Some(Ref::from_schema_name("ApiErrorBody")));
    let failed = ResponseBuilder::new()
        .description("why there is none")
        .content(JSON, failed.build());
    let mut operation = OperationBuilder::new()
        .summary(Some(route.says))
        .response("200", answer.build())
        .response("default", failed.build());
    if route.path.contains("{trace_id}") {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name("trace_id")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("up to 32 hexadecimal digits")),
        );
    }
    for (name, means) in route.takes {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(*means)),
        );
    }
    let item = PathItemBuilder::new().operation(route.method.clone(), operation.build());
    item.build()
}
