//! The section `SYMS`: the services of a segment and their operations.
//!
//! Bytes: number of services, then each as length and text, ascending; number of operations, then each as service
//! (index), kind (signed), length and text, by service, name, kind. Numbers are varints.

#![allow(
    clippy::cast_possible_truncation,
    reason = "services and operations of a segment are far below 2^32"
)]

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use model::batch::Symbol;

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

/// Collects services and operations, row group by row group. Services are numbered as they come.
#[derive(Debug, Default)]
pub(super) struct CatalogueBuilder {
    number_of: HashMap<String, u32, RandomState>,
    operations: HashSet<(u32, String, i32), RandomState>,
}

impl CatalogueBuilder {
    /// Adds a row group; gives by resource of the batch the number of its service.
    pub(super) fn add(&mut self, parts: &Parts<'_>) -> Vec<u32> {
        let (batch, spans) = (parts.batch, parts.batch.spans());
        let mut is_used = vec![false; batch.resources().len()];
        let mut known: HashSet<(u32, Symbol, i32), RandomState> = HashSet::default();
        let mut last = None;
        for source in parts.order.source.iter().map(|source| *source as usize) {
            let cell = |column: &[u32]| column.get(source).copied().unwrap_or_default();
            let here = (
                cell(&spans.resource),
                spans.name.get(source).copied().unwrap_or_default(),
                spans.kind.get(source).copied().unwrap_or_default(),
            );
            if last != Some(here) {
                known.insert(here);
                last = Some(here);
                if let Some(is_used) = is_used.get_mut(here.0 as usize) {
                    *is_used = true;
                }
            }
        }
        let mut service_of = vec![0; is_used.len()];
        let used = service_of.iter_mut().zip(&is_used).enumerate();
        for (row, (number, _)) in used.filter(|(_, (_, is_used))| **is_used) {
            let (service, next) = (
                batch.resource(row as u32).service(),
                self.number_of.len() as u32,
            );
            *number = match self.number_of.get(service) {
                Some(known) => *known,
                None => {
                    self.number_of.insert(service.to_owned(), next);
                    next
                }
            };
        }
        for (resource, name, kind) in known {
            let service = service_of.get(resource as usize).copied();
            let name = batch.strings().get(name).to_owned();
            self.operations
                .insert((service.unwrap_or_default(), name, kind));
        }
        service_of
    }

    /// The catalogue, and by number as they came the index of a service in it.
    pub(super) fn finish(self) -> (Catalogue, Vec<u32>) {
        let mut services: Vec<(String, u32)> = self.number_of.into_iter().collect();
        services.sort_unstable();
        let mut index_of = vec![0; services.len()];
        for (index, (_, number)) in services.iter().enumerate() {
            if let Some(slot) = index_of.get_mut(*number as usize) {
                *slot = index as u32;
            }
        }
        let operation = |(service, name, kind): (u32, String, i32)| CatalogueOperation {
            service: index_of.get(service as usize).copied().unwrap_or_default(),
            name,
            kind,
        };
        let mut operations: Vec<CatalogueOperation> =
            self.operations.into_iter().map(operation).collect();
        operations.sort_unstable();
        let services = services.into_iter().map(|(service, _)| service).collect();
        (
            Catalogue {
                services,
                operations,
            },
            index_of,
        )
    }
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
