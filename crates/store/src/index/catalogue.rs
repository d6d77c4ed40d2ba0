//! The section `SYMS`: the services of a segment and their operations.
//!
//! Bytes: number of services, then each as length and text, ascending; number of operations, then each as service
//! (index), kind (signed), length and text, by service, name, kind. Numbers are varints.
//!
//! Operations beyond those that there is room for (`names.rs`) are one operation a service and kind with the name
//! `<other>`. What is counted stays whole by that; what tells traces by their operations must not take them for one.

#![allow(
    clippy::cast_possible_truncation,
    reason = "services and operations of a segment are far below 2^32"
)]

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::batch::Symbol;
use model::contract::OTHER_OPERATIONS;

use crate::names::{Room, kind_of_other};
use crate::segment::decode::{take_varint, unzigzag};
use crate::segment::encode::{put_varint, zigzag};
use crate::segment::parts::Parts;

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogueOperation {
    /// Index of [`Catalogue::services`].
    pub service: u32,
    /// The span's name.
    pub name: String,
    /// OTLP's number of the span's kind.
    pub kind: i32,
}

/// The services of a segment and their operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The services' names, ascending.
    pub services: Vec<String>,
    /// The operations, by service, then name, then kind.
    pub operations: Vec<CatalogueOperation>,
}

/// Collects services and operations, row group by row group. Both are numbered as they come.
#[derive(Debug, Default)]
pub(super) struct CatalogueBuilder {
    services: HashMap<String, u32, RandomState>,
    operations: HashMap<(u32, String, i32), u32, RandomState>,
    /// By service and kind: those that have no name of their own, numbered apart.
    others: HashMap<(u32, i32), u32, RandomState>,
    /// By service: how many operations it has.
    of_service: Vec<usize>,
    room: Room,
}

/// The mark of numbers of operations that have no name of their own.
const OTHER: u32 = 1 << 31;

/// Whether a number stands for several operations.
pub(super) fn is_other(operation: u32) -> bool {
    operation & OTHER != 0
}

/// The operations of a row group's spans.
#[derive(Debug, Default)]
pub(super) struct Operations {
    /// By row of the group: the number of the span's operation.
    pub operation_of: Vec<u32>,
    /// By row of the group: the number of the span's service.
    pub service_of: Vec<u32>,
}

impl CatalogueBuilder {
    /// Adds a row group.
    pub(super) fn add(&mut self, parts: &Parts<'_>) -> Operations {
        type Here = (u32, Symbol, i32);
        let spans = parts.batch.spans();
        let mut known: HashMap<Here, (u32, u32), RandomState> = HashMap::default();
        let mut last: Option<(Here, (u32, u32))> = None;
        let mut operations = Operations::default();
        for source in parts.order.source.iter().map(|source| *source as usize) {
            let here = (
                spans.resource.get(source).copied().unwrap_or_default(),
                spans.name.get(source).copied().unwrap_or_default(),
                spans.kind.get(source).copied().unwrap_or_default(),
            );
            let numbers = match last {
                Some((same, numbers)) if same == here => numbers,
                _ => *known
                    .entry(here)
                    .or_insert_with(|| self.numbers(parts, here)),
            };
            last = Some((here, numbers));
            operations.service_of.push(numbers.0);
            operations.operation_of.push(numbers.1);
        }
        operations
    }

    /// The numbers of a service and its operation.
    fn numbers(
        &mut self,
        parts: &Parts<'_>,
        (resource, name, kind): (u32, Symbol, i32),
    ) -> (u32, u32) {
        let service = parts.batch.resource(resource).service();
        let next = self.services.len() as u32;
        let service = match self.services.get(service) {
            Some(known) => *known,
            None => *self.services.entry(service.to_owned()).or_insert(next),
        };
        let name = parts.batch.strings().get(name);
        (service, self.operation((service, name, kind)))
    }

    fn operation(&mut self, (service, name, kind): (u32, &str, i32)) -> u32 {
        let next = self.operations.len() as u32;
        let key = (service, name.to_owned(), kind);
        if let Some(known) = self.operations.get(&key) {
            return *known;
        }
        if self.of_service.len() <= service as usize {
            self.of_service.resize(service as usize + 1, 0);
        }
        if let Some(of_service) = self.of_service.get_mut(service as usize)
            && name != OTHER_OPERATIONS
            && self.room.take(name, *of_service)
        {
            *of_service += 1;
            self.operations.insert(key, next);
            return next;
        }
        let next = self.others.len() as u32;
        let other = self.others.entry((service, kind_of_other(kind)));
        *other.or_insert(next) | OTHER
    }

    /// The catalogue, and which of its places the numbers became.
    pub(super) fn finish(self) -> (Catalogue, Places) {
        let mut services: Vec<(String, u32)> = self.services.into_iter().collect();
        services.sort_unstable();
        let place_of_service = places_of(services.iter().map(|(_, number)| *number));
        let place = |number: u32| {
            let place = place_of_service.get(number as usize);
            place.copied().unwrap_or_default()
        };
        let named = self.operations.into_iter();
        let others = (self.others.into_iter()).map(|((service, kind), number)| {
            let name = OTHER_OPERATIONS.to_owned();
            ((service, name, kind), number | OTHER)
        });
        let operation = |((service, name, kind), number): ((u32, String, i32), u32)| {
            let service = place(service);
            (
                CatalogueOperation {
                    service,
                    name,
                    kind,
                },
                number,
            )
        };
        let mut operations: Vec<(CatalogueOperation, u32)> =
            named.chain(others).map(operation).collect();
        operations.sort_unstable();
        let places_where = |is_wanted: fn(u32) -> bool| {
            let numbers = operations.iter().zip(0..);
            let wanted = numbers.filter(|((_, number), _)| is_wanted(*number));
            let mut places: Vec<(u32, u32)> = wanted
                .map(|((_, number), place)| (*number, place))
                .collect();
            places.sort_unstable();
            places.into_iter().map(|(_, place)| place).collect()
        };
        let place_of_operation = places_where(|number| !is_other(number));
        let place_of_other = places_where(is_other);
        let catalogue = Catalogue {
            services: services.into_iter().map(|(service, _)| service).collect(),
            operations: operations
                .into_iter()
                .map(|(operation, _)| operation)
                .collect(),
        };
        let places = Places {
            services: place_of_service,
            operations: place_of_operation,
            others: place_of_other,
        };
        (catalogue, places)
    }
}

/// By number of a service or operation, as they came: its place in the catalogue.
#[derive(Debug, Default)]
pub(super) struct Places {
    services: Vec<u32>,
    operations: Vec<u32>,
    others: Vec<u32>,
}

impl Places {
    pub(super) fn service(&self, number: u32) -> u32 {
        let place = self.services.get(number as usize);
        place.copied().unwrap_or_default()
    }

    pub(super) fn operation(&self, number: u32) -> u32 {
        let place = if is_other(number) {
            self.others.get((number & !OTHER) as usize)
        } else {
            self.operations.get(number as usize)
        };
        place.copied().unwrap_or_default()
    }
}

/// Turns numbers by place into places by number.
pub(super) fn places_of(numbers: impl ExactSizeIterator<Item = u32>) -> Vec<u32> {
    let mut places = vec![0; numbers.len()];
    for (place, number) in numbers.enumerate() {
        if let Some(slot) = places.get_mut(number as usize) {
            *slot = place as u32;
        }
    }
    places
}

impl Catalogue {
    /// The operations of a service, by name, then kind.
    pub fn operations_of(&self, service: &str) -> impl Iterator<Item = &CatalogueOperation> {
        let found = self
            .services
            .binary_search_by(|name| name.as_str().cmp(service))
            .ok();
        let is_of =
            move |operation: &&CatalogueOperation| Some(operation.service as usize) == found;
        self.operations.iter().filter(is_of)
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let texts: usize = self
            .services
            .iter()
            .chain(self.operations.iter().map(|op| &op.name))
            .map(String::len)
            .sum();
        texts
            + self.services.len() * size_of::<String>()
            + self.operations.len() * size_of::<CatalogueOperation>()
    }

    /// The section.
    pub(super) fn section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let put_text = |text: &str, out: &mut Vec<u8>| {
            put_varint(text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        };
        put_varint(self.services.len() as u64, &mut out);
        self.services
            .iter()
            .for_each(|service| put_text(service, &mut out));
        put_varint(self.operations.len() as u64, &mut out);
        for operation in &self.operations {
            put_varint(u64::from(operation.service), &mut out);
            put_varint(zigzag(i64::from(operation.kind)), &mut out);
            put_text(&operation.name, &mut out);
        }
        out
    }

    /// The catalogue of a section; `None` when it makes no sense.
    pub(crate) fn parse(mut section: &[u8]) -> Option<Self> {
        fn text(section: &mut &[u8]) -> Option<String> {
            let length = usize::try_from(take_varint(section)?).ok()?;
            let (text, rest) = section.split_at_checked(length)?;
            *section = rest;
            String::from_utf8(text.to_vec()).ok()
        }
        let mut catalogue = Self::default();
        for _ in 0..take_varint(&mut section)? {
            catalogue.services.push(text(&mut section)?);
        }
        for _ in 0..take_varint(&mut section)? {
            let service = u32::try_from(take_varint(&mut section)?).ok()?;
            let kind = i32::try_from(unzigzag(take_varint(&mut section)?)).ok()?;
            catalogue.services.get(service as usize)?;
            catalogue.operations.push(CatalogueOperation {
                service,
                name: text(&mut section)?,
                kind,
            });
        }
        section.is_empty().then_some(catalogue)
    }
}
