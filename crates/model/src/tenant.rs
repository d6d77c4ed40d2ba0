//! The tenant that spans belong to: a short name that is safe in a file name.

use std::fmt;
use std::sync::Arc;

/// The most characters of a tenant's name.
pub(crate) const TENANT_CHARS_MAX: usize = 64;

/// Says why a text is no tenant's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant {name:?} is not 1 to 64 of the characters A-Z a-z 0-9 _ . -, or starts with a dot")]
pub struct TenantError {
    name: String,
}

/// A tenant's name: `[A-Za-z0-9_.-]{1,64}`, not starting with a dot.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// Checks a name.
    pub fn parse(name: &str) -> Result<Self, TenantError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let is_name = !name.is_empty()
            && name.len() <= TENANT_CHARS_MAX
            && !name.starts_with('.')
            && name.chars().all(is_allowed);
        if is_name {
            Ok(Self(name.into()))
        } else {
            Err(TenantError {
                name: name.chars().take(80).collect(),
            })
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        for name in ["", ".", "..", "../x", "a/b", "a b", "ä", &"x".repeat(65)] {
            assert!(TenantId::parse(name).is_err(), "{name}");
        }
        assert_eq!(
            TenantId::parse("team-a_1.x").unwrap().as_str(),
            "team-a_1.x"
        );
    }
}
