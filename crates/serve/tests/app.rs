//! Where the app and both APIs are served: at the root, or below a path that a proxy leaves.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use plumbing::{CpuPool, ManualClock, Metrics};
use query::Query;
use serve::{AppOptions, BasePath, JaegerOptions, ServeParts, jaeger_router};
use testkit::oracle::OracleStore;

use crate::world::{NOW_NANOS, PinsOf, app_options, ask, get};

fn router_below(base_path: &str) -> Router {
    let reader = Arc::new(OracleStore::new());
    let parts = ServeParts {
        clock: Arc::new(ManualClock::at(NOW_NANOS)),
        metrics: &Metrics::new(),
        pool: CpuPool::start("test", 1, 4).unwrap(),
        tenant: model::TenantId::default(),
        pins: Arc::new(PinsOf(reader.clone())),
        options: JaegerOptions::default(),
        ui: Router::new().route("/here", axum::routing::get(async || "ui")),
        app: AppOptions {
            base_path: BasePath::parse(base_path).unwrap(),
            ..app_options()
        },
    };
    jaeger_router(Arc::new(Query::new(reader)), parts)
}

#[tokio::test]
async fn everything_is_below_the_path_and_nothing_beside_it() {
    let router = router_below("/a/jaeger");
    for target in [
        "/a/jaeger/",
        "/a/jaeger",
        "/a/jaeger/search",
        "/a/jaeger/trace/abc",
    ] {
        let answer = get(&router, target).await;
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (200, "text/html; charset=utf-8"),
            "{target}"
        );
    }
    assert_eq!(get(&router, "/a/jaeger/api/ui/v1/here").await.text, "ui");
    let services = get(&router, "/a/jaeger/api/services").await;
    assert_eq!(
        (services.status, services.content_type.as_str()),
        (200, "application/json")
    );
    for target in [
        "/search",
        "/api/services",
        "/api/ui/v1/here",
        "/a",
        "/a/jaegers",
        "/a/jaeger/assets/x.js",
    ] {
        assert_eq!(get(&router, target).await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn who_comes_to_the_root_is_sent_on_with_the_question() {
    let router = router_below("/jaeger");
    for (target, location) in [
        ("/", "/jaeger/"),
        ("/?uiEmbed=v0&a=b", "/jaeger/?uiEmbed=v0&a=b"),
        ("/jaeger/api", "/jaeger/api/"),
        ("/jaeger//search", "/jaeger/search"),
    ] {
        let answer = get(&router, target).await;
        assert_eq!(
            (answer.status, answer.location.as_str()),
            (307, location),
            "{target}"
        );
    }
    assert_eq!(get(&router_below("/"), "/api").await.location, "/api/");
}

#[tokio::test]
async fn a_question_for_the_head_is_answered_on_every_door() {
    for (router, prefix) in [
        (router_below("/"), ""),
        (router_below("/jaeger"), "/jaeger"),
    ] {
        for target in [
            "/",
            "/search",
            "/api/services",
            "/api/v3/services",
            "/api/ui/v1/here",
        ] {
            let request = Request::head(format!("{prefix}{target}"));
            let answer = ask(&router, request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                (answer.status, answer.text.as_str()),
                (200, ""),
                "{prefix}{target}"
            );
        }
    }
}
