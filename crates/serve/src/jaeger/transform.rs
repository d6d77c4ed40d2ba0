//! `POST /api/transform`: OTLP JSON in, Jaeger's JSON out, so that a file can be looked at. Nothing is kept, and
//! nothing is repaired or adjusted.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::response::Response;
use codec::Decoded;
use codec::otlp::decode_json;
use query::adjust::AdjustableTrace;

use super::Jaeger;
use super::envelope::{Answer, AnswerError, ApiError};
use super::parameters::Parameters;
use super::trace_json::push_trace;
use crate::guard::For;
use crate::json_text::push_list;

pub(super) async fn transform(
    For(jaeger): For<Jaeger>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    let answer = jaeger.work(move || traces_of(&body)).await??;
    Ok(answer.into_response(&Parameters::parse(query.as_deref())))
}

fn traces_of(body: &[u8]) -> Result<Answer, ApiError> {
    let unreadable = |why: &str| ApiError::bad_request(format!("cannot unmarshal OTLP : {why}"));
    match body.trim_ascii() {
        b"" => return Err(unreadable("the body is empty")),
        // As for an empty object.
        b"null" => {
            return Ok(Answer {
                data: "[]".to_owned(),
                ..Answer::default()
            });
        }
        _ => {}
    }
    let Decoded {
        batch, rejection, ..
    } = decode_json(body).map_err(|error| unreadable(&error.to_string()))?;
    let mut answer = Answer::default();
    match rejection {
        Some(why) if batch.is_empty() => return Err(unreadable(&why)),
        Some(why) => answer
            .errors
            .push(AnswerError::told(format!("some spans are left out: {why}"))),
        None => {}
    }
    push_list(
        &mut answer.data,
        AdjustableTrace::all_as_sent(&batch),
        |out, trace| push_trace(out, &trace),
    );
    Ok(answer)
}
