//! The port where clients ask what to record (5778): Jaeger's JSON.
//!
//! Promises: as at Jaeger's port every path answers, by whatever method, to exactly one parameter `service`; with
//! `format=legacy` in the form of the first agents.
//!
//! Source: recordings in `tests/golden/sampling`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sampling::{Strategies, http_answer};

/// Makes the routes of the sampling port.
pub fn sampling_router(strategies: Arc<dyn Strategies>) -> Router {
    Router::new().fallback(answer).with_state(strategies)
}

async fn answer(
    State(strategies): State<Arc<dyn Strategies>>,
    RawQuery(query): RawQuery,
) -> Response {
    match http_answer(&*strategies, query.as_deref()) {
        Ok(text) => {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(why) => {
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            let no_guess = HeaderValue::from_static("nosniff");
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::X_CONTENT_TYPE_OPTIONS, no_guess),
            ];
            (StatusCode::BAD_REQUEST, headers, format!("{why}\n")).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::body::Body;
    use axum::http::Request;
    use sampling::FileStrategies;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    fn golden(name: &str) -> String {
        let path = format!("../../tests/golden/sampling/{name}");
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    async fn ask(router: &Router, method: &str, address: &str) -> (u16, String, String) {
        let request = Request::builder().method(method).uri(address);
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
        let (status, kind) = (response.status().as_u16(), kind.to_owned());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_recorded_question_has_its_recorded_answer() {
        let strategies = FileStrategies::without_file(0.001);
        strategies.replace(&golden("strategies.json")).unwrap();
        let router = sampling_router(Arc::new(strategies));
        let recorded: Value = serde_json::from_str(&golden("with-file.json")).unwrap();
        for case in recorded["cases"].as_array().unwrap() {
            let pairs = case["query"].as_array().unwrap();
            let query: Vec<String> = pairs
                .iter()
                .map(|pair| {
                    format!(
                        "{}={}",
                        pair[0].as_str().unwrap(),
                        pair[1].as_str().unwrap()
                    )
                })
                .collect();
            let address = format!("{}?{}", case["path"].as_str().unwrap(), query.join("&"));
            let method = case["method"].as_str().unwrap();
            let wanted = &case["response"];
            let (status, kind, text) = ask(&router, method, &address).await;
            assert_eq!(
                u64::from(status),
                wanted["status"].as_u64().unwrap(),
                "{address}"
            );
            assert_eq!(kind, wanted["headers"]["content-type"].as_str().unwrap());
            assert_eq!(text, wanted["body_text"].as_str().unwrap(), "{address}");
        }
        let (_, _, text) = ask(&router, "GET", "/?service=x&format=legacy").await;
        assert!(text.starts_with(r#"{"strategyType":0,"#), "{text}");
    }
}
