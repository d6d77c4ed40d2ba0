//! Who sends: the 20 services of the shop, their languages and replicas, and the resource of each replica.
//!
//! The order of the table is part of the bytes: it numbers the services, and numbers decide addresses, names of pods
//! and the order of resources in a request. The unkind profile uses the first ten.

use opentelemetry_proto::tonic::{
    common::v1::{InstrumentationScope, KeyValue},
    resource::v1::Resource,
};

use crate::attribute::attribute;

struct Entry {
    name: &'static str,
    language: &'static str,
    replicas: usize,
}

const fn entry(name: &'static str, language: &'static str, replicas: usize) -> Entry {
    Entry {
        name,
        language,
        replicas,
    }
}

const CATALOGUE: [Entry; 20] = [
    entry("edge-proxy", "cpp", 3),
    entry("web", "nodejs", 4),
    entry("catalog", "go", 4),
    entry("search", "java", 3),
    entry("cart", "dotnet", 3),
    entry("checkout", "go", 4),
    entry("payment", "nodejs", 3),
    entry("shipping", "rust", 2),
    entry("quote", "php", 2),
    entry("email", "ruby", 2),
    entry("currency", "cpp", 2),
    entry("recommend", "python", 3),
    entry("ads", "java", 2),
    entry("inventory", "java", 3),
    entry("pricing", "go", 3),
    entry("profile", "python", 3),
    entry("auth", "go", 3),
    entry("accounting", "dotnet", 2),
    entry("fraud", "kotlin", 2),
    entry("images", "go", 2),
];

/// One service of the catalogue, by its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Service(usize);

impl Service {
    pub(super) const EDGE_PROXY: Self = Self(0);
    pub(super) const WEB: Self = Self(1);
    pub(super) const CATALOG: Self = Self(2);
    pub(super) const SEARCH: Self = Self(3);
    pub(super) const CART: Self = Self(4);
    pub(super) const CHECKOUT: Self = Self(5);
    pub(super) const PAYMENT: Self = Self(6);
    pub(super) const SHIPPING: Self = Self(7);
    pub(super) const QUOTE: Self = Self(8);
    pub(super) const EMAIL: Self = Self(9);
    pub(super) const CURRENCY: Self = Self(10);
    pub(super) const RECOMMEND: Self = Self(11);
    pub(super) const ADS: Self = Self(12);
    pub(super) const INVENTORY: Self = Self(13);
    pub(super) const PRICING: Self = Self(14);
    pub(super) const PROFILE: Self = Self(15);
    pub(super) const AUTH: Self = Self(16);
    pub(super) const ACCOUNTING: Self = Self(17);
    pub(super) const FRAUD: Self = Self(18);

    /// Gives all services in the order of their numbers.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..CATALOGUE.len()).map(Self)
    }

    /// Gives the service of this number, counted round the catalogue.
    pub(super) fn numbered(number: usize) -> Self {
        Self(number % CATALOGUE.len())
    }

    pub(super) fn number(self) -> usize {
        self.0
    }

    pub(super) fn name(self) -> &'static str {
        CATALOGUE[self.0].name
    }

    /// Gives the replica that serves this user.
    pub(super) fn replica_for(self, user: u32) -> usize {
        user as usize % CATALOGUE[self.0].replicas
    }

    /// Gives the instrumentation scope that all of its spans come from.
    pub(super) fn scope(self) -> InstrumentationScope {
        InstrumentationScope {
            name: format!("io.opentelemetry.{}", CATALOGUE[self.0].language),
            version: "0.63.0".into(),
            ..Default::default()
        }
    }

    /// Gives the resource of one replica: 18 attributes as a Kubernetes deployment has them.
    pub(super) fn resource(self, replica: usize) -> Resource {
        // At most 20 services and 4 replicas: the largest product below stays far under 2^53.
        let host = self.0 * 7919 + replica * 104_729;
        let mut attributes = Vec::from(self.identity(replica, host));
        attributes.extend(self.placement(host));
        Resource {
            attributes,
            ..Default::default()
        }
    }

    fn identity(self, replica: usize, host: usize) -> [KeyValue; 4] {
        [
            attribute("service.name", self.name()),
            attribute("service.namespace", "shop"),
            attribute(
                "service.version",
                format!("2.{}.{}", self.0 % 7, replica % 2),
            ),
            attribute(
                "service.instance.id",
                format!("{host:08x}-0000-4000-8000-{:012x}", host * 31),
            ),
        ]
    }

    fn placement(self, host: usize) -> [KeyValue; 14] {
        let name = self.name();
        let pod = format!(
            "{name}-{:x}-{:05x}",
            0x5d9f_0000 + self.0 * 977,
            (host * 2_654_435_761) & 0xf_ffff
        );
        let node = format!(
            "ip-10-0-{}-{}.eu-west-1.compute.internal",
            host % 4,
            host % 30
        );
        let zone = ["eu-west-1a", "eu-west-1b", "eu-west-1c"][host % 3];
        [
            attribute("k8s.pod.name", pod.clone()),
            attribute("k8s.namespace.name", "shop"),
            attribute("k8s.deployment.name", name),
            attribute("k8s.node.name", node),
            attribute(
                "k8s.pod.uid",
                format!("{host:08x}-1111-4222-8333-{:012x}", host * 17),
            ),
            attribute("host.name", pod),
            attribute("os.type", "linux"),
            attribute("process.pid", 1i64),
            attribute("telemetry.sdk.name", "opentelemetry"),
            attribute("telemetry.sdk.language", CATALOGUE[self.0].language),
            attribute("telemetry.sdk.version", "1.38.0"),
            attribute("deployment.environment.name", "production"),
            attribute("cloud.region", "eu-west-1"),
            attribute("cloud.availability_zone", zone),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_service_is_the_one_in_the_catalogue() {
        let named = [
            (Service::EDGE_PROXY, "edge-proxy"),
            (Service::WEB, "web"),
            (Service::CATALOG, "catalog"),
            (Service::SEARCH, "search"),
            (Service::CART, "cart"),
            (Service::CHECKOUT, "checkout"),
            (Service::PAYMENT, "payment"),
            (Service::SHIPPING, "shipping"),
            (Service::QUOTE, "quote"),
            (Service::EMAIL, "email"),
            (Service::CURRENCY, "currency"),
            (Service::RECOMMEND, "recommend"),
            (Service::ADS, "ads"),
            (Service::INVENTORY, "inventory"),
            (Service::PRICING, "pricing"),
            (Service::PROFILE, "profile"),
            (Service::AUTH, "auth"),
            (Service::ACCOUNTING, "accounting"),
            (Service::FRAUD, "fraud"),
        ];
        for (service, name) in named {
            assert_eq!(service.name(), name);
        }
    }

    #[test]
    fn every_resource_has_eighteen_attributes_and_its_own_pod() {
        let mut pods = std::collections::BTreeSet::new();
        for service in Service::all() {
            for replica in 0..CATALOGUE[service.number()].replicas {
                let resource = service.resource(replica);
                assert_eq!(resource.attributes.len(), 18);
                pods.insert(format!("{:?}", resource.attributes[4].value));
            }
        }
        assert_eq!(
            pods.len(),
            CATALOGUE.iter().map(|entry| entry.replicas).sum::<usize>()
        );
    }
}
