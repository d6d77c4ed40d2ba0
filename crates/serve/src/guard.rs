//! The door of every port that answers: TLS, credentials, tenant, pages of other sites; before anything else is done.
//!
//! Promises: whoever is not let in learns nothing but that; a request that goes on says whose spans it is about.
//! Refuses: changes that pages of other sites ask for.

use std::convert::Infallible;
use std::sync::Arc;

use access::{Access, Denied, Gate, is_forged};
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use grpc::headers::{HEALTH_CHECK_PATH, is_grpc};
use model::TenantId;
use plumbing::planted;

use crate::jaeger::grpc_refusal;

const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// What a port asks of everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing: it tells nothing of anybody.
    Nothing,
    /// Credentials, but for these paths; a tenant may be named.
    Credentials {
        /// Paths that supervisors ask without any.
        free_paths: &'static [&'static str],
    },
    /// Credentials and a tenant, whose spans are meant.
    Tenant,
}

/// Ports that are answered alike.
#[derive(Debug, Clone)]
pub struct Door {
    /// How they are spoken to, and who is let in.
    pub gate: Gate,
    /// What is asked of everybody.
    pub asks: Asks,
}

impl Door {
    /// Plain ports that let everybody in.
    #[must_use]
    pub fn open() -> Self {
        Self {
            gate: Gate::open(),
            asks: Asks::Nothing,
        }
    }

    /// Puts the door before a router.
    pub(crate) fn before(&self, router: Router) -> Router {
        let guard = Guard {
            access: self.gate.access.clone(),
            asks: self.asks,
        };
        router.layer(axum::middleware::from_fn_with_state(guard, admit))
    }
}

#[derive(Debug, Clone)]
struct Guard {
    access: Access,
    asks: Asks,
}

impl Guard {
    async fn check(&self, parts: &Parts) -> Result<Option<TenantId>, Denied> {
        let (headers, path) = (&parts.headers, parts.uri.path());
        // It tells whether the program serves, no more.
        let is_health = path == HEALTH_CHECK_PATH && is_grpc(headers);
        match self.asks {
            Asks::Nothing => Ok(None),
            _ if is_health => Ok(None),
            Asks::Credentials { free_paths } if free_paths.contains(&path) => Ok(None),
            _ if is_forged(self.access.cors(), &parts.method, headers) => Err(Denied::OtherSite),
            Asks::Credentials { .. } => {
                let guest = self.access.admit(headers).await?;
                guest.named_tenant(headers)
            }
            Asks::Tenant => self.access.admit_as(headers).await.map(Some),
        }
    }
}

async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let cors = guard.access.cors();
    // Apart from the body, of which nothing is read before.
    let (mut parts, body) = request.into_parts();
    if let Some(answer) = cors.preflight(&parts.method, &parts.headers) {
        return answer.into_response();
    }
    let origin = parts.headers.get(header::ORIGIN).cloned();
    let mut response = match guard.check(&parts).await {
        Ok(tenant) => {
            if let Some(tenant) = tenant {
                parts.extensions.insert(tenant);
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(denied) if is_grpc(&parts.headers) => {
            grpc_refusal(denied.grpc_code(), &denied.to_string())
        }
        Err(denied) => refusal(&denied),
    };
    cors.mark(origin.as_ref(), response.headers_mut());
    response
}

fn refusal(denied: &Denied) -> Response {
    let mut response = (denied.http_status(), format!("{denied}\n")).into_response();
    let headers = response.headers_mut();
    for challenge in denied.challenges() {
        headers.append(header::WWW_AUTHENTICATE, challenge.clone());
    }
    if denied.http_status() == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Something that answers for one tenant, and can be had for another.
pub(crate) trait OfTenant: Send + Sync + 'static {
    /// For whom it answers.
    fn tenant(&self) -> &TenantId;

    /// The same for another.
    fn of_tenant(&self, tenant: TenantId) -> Self;
}

/// What a handler knows, for the tenant of its request.
pub(crate) struct For<T>(pub(crate) Arc<T>);

impl<T: OfTenant> FromRequestParts<Arc<T>> for For<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<T>) -> Result<Self, Infallible> {
        Ok(Self(for_request(state, &parts.extensions)))
    }
}

/// What is known, for the tenant of a request.
pub(crate) fn for_request<T: OfTenant>(state: &Arc<T>, of: &axum::http::Extensions) -> Arc<T> {
    match of.get::<TenantId>() {
        Some(tenant) if tenant != state.tenant() && !planted("serve-tenant-ignored") => {
            Arc::new(state.of_tenant(tenant.clone()))
        }
        _ => Arc::clone(state),
    }
}
