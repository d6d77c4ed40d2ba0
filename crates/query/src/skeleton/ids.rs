//! The ids by which the spans of a trace find their parents.
//!
//! Zipkin lets a client and the server that it calls share one id. The server's span then stands below the client's,
//! and what names the shared id as its parent stands below the server's, since that is where it ran. Where several
//! servers share the id of a client, all stand below it, and the first has the children.

use std::collections::{HashMap, HashSet};

use model::{SpanId, TraceOutline};

/// OTLP's numbers of the kinds "server" and "client".
const KIND_SERVER: i32 = 2;
const KIND_CLIENT: i32 = 3;

/// The ids, by span.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) ids: Vec<SpanId>,
    pub(super) parents: Vec<SpanId>,
    /// Spans whose id another span has, too.
    pub(super) repeated: u64,
}

impl Ids {
    pub(super) fn of(outline: &TraceOutline) -> Self {
        let mut ids = Self {
            ids: outline.span_ids.clone(),
            parents: outline.parents.clone(),
            repeated: 0,
        };
        let mut seen = HashSet::with_capacity(outline.len());
        let repeated: Vec<SpanId> = outline
            .span_ids
            .iter()
            .copied()
            .filter(|id| !seen.insert(*id))
            .collect();
        if !repeated.is_empty() {
            ids.separate(outline, &repeated, &seen);
        }
        ids
    }

    fn separate(&mut self, outline: &TraceOutline, repeated: &[SpanId], used: &HashSet<SpanId>) {
        let repeated: HashSet<SpanId> = repeated.iter().copied().collect();
        let spans = || outline.span_ids.iter().zip(&outline.kinds);
        let clients: HashSet<SpanId> = spans()
            .filter(|(id, kind)| **kind == KIND_CLIENT && repeated.contains(*id))
            .map(|(id, _)| *id)
            .collect();
        // An orphan's parent is no span, and must not become one.
        let named: HashSet<SpanId> = outline.parents.iter().copied().collect();
        let mut free = (1..=u64::MAX)
            .map(SpanId::from_number)
            .filter(|id| !used.contains(id) && !named.contains(id));
        let mut servers: HashMap<SpanId, SpanId> = HashMap::new();
        let mut is_server = vec![false; self.ids.len()];
        let own = self.ids.iter_mut().zip(&mut self.parents);
        for (((id, parent), kind), is_server) in own.zip(&outline.kinds).zip(&mut is_server) {
            if *kind != KIND_SERVER || !clients.contains(id) {
                continue;
            }
            if let Some(new) = free.next() {
                servers.entry(*id).or_insert(new);
                *parent = *id;
                *id = new;
                *is_server = true;
            }
        }
        for (parent, is_server) in self.parents.iter_mut().zip(&is_server) {
            if let (false, Some(server)) = (is_server, servers.get(parent)) {
                *parent = *server;
            }
        }
        let mut seen = HashSet::new();
        self.repeated = self.ids.iter().filter(|id| !seen.insert(**id)).count() as u64;
    }
}
