//! Tenants by header: whose spans a request brings or asks for.
//!
//! Promises: without a list there are at most [`TENANTS_MAX`] tenants, since each costs memory and files; credentials
//! that are for one tenant alone need no header.
//!
//! Source: Jaeger's `multi_tenancy` and its words.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName};
use model::TenantId;

use crate::denied::Denied;

/// The most tenants of a process that has no list of them.
pub const TENANTS_MAX: usize = 1_000;

/// How tenants are told apart; clones share what was seen.
#[derive(Debug, Clone)]
pub struct Tenancy {
    header: HeaderName,
    /// Whose a request without the header is; `None`: nobody's, it is refused.
    fallback: Option<TenantId>,
    /// Those that there are; `None`: any.
    listed: Option<Arc<[TenantId]>>,
    seen: Arc<Mutex<HashSet<TenantId>>>,
}

impl Tenancy {
    /// `tenants` are those that there are; when it is empty, every name is one.
    #[must_use]
    pub fn new(header: HeaderName, fallback: Option<TenantId>, tenants: &[TenantId]) -> Self {
        Self {
            header,
            fallback,
            listed: (!tenants.is_empty()).then(|| tenants.into()),
            seen: Arc::default(),
        }
    }

    /// Tells whether a request names one.
    pub(crate) fn is_named(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(&self.header)
    }

    /// Which tenant is meant; `allowed` are those that the credentials are for.
    pub(crate) fn tenant(
        &self,
        headers: &HeaderMap,
        allowed: Option<&[TenantId]>,
    ) -> Result<TenantId, Denied> {
        let mut values = headers.get_all(&self.header).iter();
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            return Err(Denied::TwoTenants);
        }
        let named = match (first, allowed) {
            (Some(value), _) => {
                let name = value.to_str().unwrap_or_default().trim();
                let tenant = TenantId::parse(name).map_err(|_| Denied::UnknownTenant)?;
                self.check(tenant)?
            }
            (None, Some([only])) => only.clone(),
            (None, _) => self.fallback.clone().ok_or(Denied::NoTenant)?,
        };
        let is_theirs = allowed.is_none_or(|allowed| allowed.contains(&named))
            || plumbing::planted("access-tenants-of-credentials-ignored");
        is_theirs.then_some(named).ok_or(Denied::UnknownTenant)
    }

    fn check(&self, tenant: TenantId) -> Result<TenantId, Denied> {
        if let Some(listed) = &self.listed {
            return listed
                .contains(&tenant)
                .then_some(tenant)
                .ok_or(Denied::UnknownTenant);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&tenant) {
            if seen.len() >= TENANTS_MAX {
                return Err(Denied::UnknownTenant);
            }
            seen.insert(tenant.clone());
        }
        Ok(tenant)
    }
}
