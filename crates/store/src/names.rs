//! Services and operations by name, so many that memory has room for them: what a segment's index holds, what a tenant
//! is told to have, what one answer lists.
//!
//! Promises
//! - Names beyond the limit become one operation a service and kind, [`OTHER_OPERATIONS`]: nothing is dropped, and
//!   whoever sees that name knows that there are more.
//! - A service with very many does not take the room of the others: each has room for some.
//!
//! Which names are held is decided by who comes first. That is good enough: what is frequent comes early.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::RandomState;
use model::SpanBatch;
use model::contract::{OTHER_OPERATIONS, Operation};

use crate::index::Catalogue;

/// Operations that are held by name. Tests reach it.
pub(crate) const OPERATIONS_MAX: usize = if cfg!(test) { 600 } else { 50_000 };
/// So many does a service hold even when others have filled the room; there is as much room again for that.
pub(crate) const SERVICE_OPERATIONS_MIN: usize = if cfg!(test) { 10 } else { 1_000 };
/// Bytes of all names together.
const NAME_BYTES_MAX: usize = 16 << 20;

/// OTLP's highest number of a kind.
const KIND_MAX: i32 = 5;

/// The kind under which an operation is counted that is not held by name: numbers that OTLP doesn't know are one kind.
pub(crate) fn kind_of_other(kind: i32) -> i32 {
    if (0..=KIND_MAX).contains(&kind) {
        kind
    } else {
        0
    }
}

/// How much room is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    operations_max: usize,
    operations: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(OPERATIONS_MAX)
    }
}

impl Room {
    /// Room for so many operations.
    pub(crate) fn of(operations_max: usize) -> Self {
        Self {
            operations_max,
            operations: 0,
            bytes: 0,
        }
    }

    /// Takes room for an operation of a service that holds so many; false when there is none.
    pub(crate) fn take(&mut self, name: &str, of_service: usize) -> bool {
        let max = self.operations_max;
        let is_within = self.operations < max
            || of_service < SERVICE_OPERATIONS_MIN && self.operations < 2 * max;
        if !is_within || self.bytes + name.len() > NAME_BYTES_MAX {
            return false;
        }
        self.operations += 1;
        self.bytes += name.len();
        true
    }
}

/// Services and their operations.
#[derive(Debug, Default)]
pub(crate) struct Names {
    services: BTreeMap<String, BTreeSet<Operation>>,
    room: Room,
}

impl Names {
    /// Those of a batch.
    pub(crate) fn of_batch(batch: &SpanBatch) -> Self {
        let mut seen: std::collections::HashSet<(u32, u32, i32), RandomState> = Default::default();
        let spans = batch.spans();
        let rows = spans.resource.iter().zip(&spans.name).zip(&spans.kind);
        let mut names = Self::default();
        for ((resource, name), kind) in rows {
            if seen.insert((*resource, name.0, *kind)) {
                let service = batch.resource(*resource).service();
                let (name, kind) = (batch.strings().get(*name).to_owned(), *kind);
                names.add(service, Operation { name, kind });
            }
        }
        names
    }

    /// Adds those of a segment.
    pub(crate) fn add_catalogue(&mut self, catalogue: &Catalogue) {
        for service in &catalogue.services {
            self.of_service(service);
        }
        for operation in &catalogue.operations {
            let service = catalogue.services.get(operation.service as usize);
            let service = service.map_or("", String::as_str);
            let (name, kind) = (operation.name.clone(), operation.kind);
            self.add(service, Operation { name, kind });
        }
    }

    /// Adds all of others.
    pub(crate) fn absorb(&mut self, more: Self) {
        for (service, operations) in more.services {
            self.of_service(&service);
            for operation in operations {
                self.add(&service, operation);
            }
        }
    }

    fn of_service(&mut self, service: &str) -> &mut BTreeSet<Operation> {
        if !self.services.contains_key(service) {
            self.services.insert(service.to_owned(), BTreeSet::new());
        }
        self.services.entry(service.to_owned()).or_default()
    }

    fn add(&mut self, service: &str, mut operation: Operation) {
        let mut room = self.room;
        let operations = self.of_service(service);
        if operations.contains(&operation) {
            return;
        }
        let is_other = operation.name == OTHER_OPERATIONS;
        if !is_other && !room.take(&operation.name, operations.len()) {
            operation = Operation {
                name: OTHER_OPERATIONS.to_owned(),
                kind: kind_of_other(operation.kind),
            };
        }
        operations.insert(operation);
        self.room = room;
    }

    /// The services, ascending.
    pub(crate) fn services(&self) -> impl Iterator<Item = &String> {
        self.services.keys()
    }

    /// The operations of a service, by name, then kind.
    pub(crate) fn operations(&self, service: &str) -> impl Iterator<Item = &Operation> {
        self.services.get(service).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(names: &mut Names, service: &str, name: String, kind: i32) {
        names.add(service, Operation { name, kind });
    }

    fn held(names: &Names, service: &str) -> usize {
        let by_name = names.operations(service);
        by_name.filter(|o| o.name != OTHER_OPERATIONS).count()
    }

    #[test]
    fn a_service_with_very_many_operations_leaves_room_for_others() {
        let mut names = Names::default();
        for nth in 0..3 * OPERATIONS_MAX {
            add(&mut names, "loud", format!("GET /{nth}"), 2);
        }
        assert_eq!(held(&names, "loud"), OPERATIONS_MAX);
        let other = |kind| Operation {
            name: OTHER_OPERATIONS.to_owned(),
            kind,
        };
        assert!(names.operations("loud").any(|o| *o == other(2)));
        for nth in 0..2 * SERVICE_OPERATIONS_MIN {
            add(&mut names, "quiet", format!("{nth}"), 77);
        }
        assert_eq!(held(&names, "quiet"), SERVICE_OPERATIONS_MIN);
        assert!(names.operations("quiet").any(|o| *o == other(0)));
        for service in 0..OPERATIONS_MAX {
            add(
                &mut names,
                &format!("service {service}"),
                "GET /".to_owned(),
                2,
            );
        }
        let all: usize = names.services().map(|service| held(&names, service)).sum();
        assert_eq!(all, 2 * OPERATIONS_MAX);
        // What is held is not forgotten, and what is known takes no room.
        add(&mut names, "quiet", "0".to_owned(), 77);
        assert_eq!(held(&names, "quiet"), SERVICE_OPERATIONS_MIN);
    }

    #[test]
    fn long_names_are_bounded_by_their_bytes() {
        let mut names = Names::default();
        let long = "x".repeat(NAME_BYTES_MAX / 2);
        for nth in 0..4 {
            add(&mut names, "loud", format!("{nth}{long}"), 2);
        }
        assert_eq!(held(&names, "loud"), 1);
    }
}
