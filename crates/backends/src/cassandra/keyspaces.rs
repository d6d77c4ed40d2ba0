//! The names of keyspaces: one for each tenant.
//!
//! Promises: two tenants never share one; a name is one that Cassandra takes without quotes.

use std::fmt::Write as _;

use model::TenantId;

/// The longest name that Cassandra takes.
const NAME_BYTES_MAX: usize = 48;
/// The digits of a hash.
const HASH_DIGITS: usize = 16;

/// The keyspace of a tenant: the one that is configured for the default tenant, and one that begins with it for others.
pub(super) fn of_tenant(keyspace: &str, tenant: &TenantId) -> String {
    if *tenant == TenantId::default() {
        return keyspace.to_owned();
    }
    let mut name = format!("{keyspace}_");
    let text = tenant.to_string();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => name.push(char::from(byte)),
            // Writing to a String can't fail.
            other => {
                let _infallible = write!(name, "_{other:02x}");
            }
        }
    }
    if name.len() > NAME_BYTES_MAX {
        name.truncate(NAME_BYTES_MAX - HASH_DIGITS - 1);
        let _infallible = write!(name, "_{:016x}", hash(&text));
    }
    name
}

/// The 64-bit hash FNV-1a.
fn hash(text: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    text.bytes().fold(BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenant_has_a_keyspace_of_its_own() {
        let name = |text: &str| of_tenant("jaeger_v1_dc1", &TenantId::parse(text).unwrap());
        assert_eq!(
            of_tenant("jaeger_v1_dc1", &TenantId::default()),
            "jaeger_v1_dc1"
        );
        assert_eq!(name("acme"), "jaeger_v1_dc1_acme");
        assert_eq!(name("Acme-1"), "jaeger_v1_dc1__41cme_2d1");
        let (one, other) = (name(&"x".repeat(60)), name(&"x".repeat(61)));
        assert_eq!((one.len(), other.len()), (NAME_BYTES_MAX, NAME_BYTES_MAX));
        assert_ne!(one, other);
    }
}
