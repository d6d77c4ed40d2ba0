//! The suite against the oracle, against stores that are wrong in one thing, and its questions on their own.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use model::contract::{
    DependencyAnswer, Kept, OperationsAnswer, SearchAnswer, SearchRequest, TraceAnswer, Window,
    WriteError,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{Predicate, TenantId, TraceId};

use super::*;
use crate::spans::START_UNIX_NANOS;

const BASE: u64 = START_UNIX_NANOS - START_UNIX_NANOS % 60_000_000_000;

/// The oracle waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the oracle waits"),
    }
}

fn report(writer: &dyn SpanWriter, reader: &dyn SpanReader) -> Report {
    now(run(&Subject {
        name: "a store",
        writer,
        reader,
        settle: &|| Box::pin(std::future::ready(())),
        keeps: &SpanBatch::clone,
        base_unix_nanos: BASE,
    }))
    .unwrap()
}

#[test]
fn the_oracle_passes_and_the_cases_are_many() {
    let oracle = OracleStore::new();
    let report = report(&oracle, &oracle);
    assert_eq!(report.failed, []);
    assert!(report.passed >= 80, "{report}");
    let cases = cases(BASE);
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name comes twice");
}

/// A search that finds nothing, or everything, tells little; those that do are meant to.
#[test]
fn searches_tell_matches_from_others() {
    const FIND_NONE: [&str; 12] = [
        "service unknown",
        "event unknown",
        "span's equal another type",
        "resource's not the span's",
        "event's not the span's",
        "unknown key equal",
        "unknown key not equal",
        "digits are no number",
        "name matches whole only",
        "both on one span",
        "nothing may be",
        "not everything",
    ];
    let oracle = OracleStore::new();
    let _report = report(&oracle, &oracle);
    let everything =
        now(Ask::Search(searches::before_large(BASE, Predicate::All)).of(&oracle)).unwrap();
    let mut wrong = Vec::new();
    for case in cases(BASE) {
        let Some(name) = case.name.strip_prefix("search: ") else {
            continue;
        };
        let found = match now(case.ask.of(&oracle)) {
            Err(_) => "refused",
            Ok(lines) if lines.len() == 1 => "none",
            Ok(lines) if lines == everything => "all",
            Ok(_) => "some",
        };
        let meant = match name {
            "a pattern that is none" => "refused",
            "everything" | "nothing asked of" | "not what is nowhere" => "all",
            name if FIND_NONE.contains(&name) => "none",
            _ => "some",
        };
        if found != meant {
            wrong.push((case.name, found));
        }
    }
    assert_eq!(wrong, []);
}

/// What is done to answers on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Claims to lack what it does.
    ClaimsToLack,
    /// The last trace of a page is missing.
    PageShort,
    /// A window's end is outside.
    EndOutside,
    /// Pages begin anew.
    CursorIgnored,
    /// Everybody's spans are everybody's.
    TenantIgnored,
    /// Traces have at most 10,000 spans.
    TraceCut,
}

#[derive(Debug)]
struct Wrong {
    inner: OracleStore,
    fault: Fault,
}

impl Wrong {
    fn tenant(&self, tenant: &TenantId) -> TenantId {
        if self.fault == Fault::TenantIgnored {
            return TenantId::default();
        }
        tenant.clone()
    }
}

impl SpanWriter for Wrong {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let tenant = self.tenant(&incoming.tenant);
        self.inner.write(IncomingBatch { tenant, ..incoming })
    }

    fn readiness(&self) -> Result<(), String> {
        self.inner.readiness()
    }
}

impl SpanReader for Wrong {
    fn lacks(&self) -> &[Capability] {
        match self.fault {
            Fault::ClaimsToLack => &[Capability::Values],
            _ => &[],
        }
    }

    fn trace(&self, tenant: &TenantId, id: TraceId) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        let whole = self.inner.trace(&self.tenant(tenant), id);
        let is_cut = self.fault == Fault::TraceCut;
        Box::pin(async move {
            let mut answer = whole.await?;
            if is_cut {
                let mut builder = model::BatchBuilder::new();
                builder.append_rows(&answer.spans, 0..answer.spans.len().min(10_000));
                answer.spans = builder.finish();
            }
            Ok(answer)
        })
    }

    fn search(&self, mut request: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>> {
        request.tenant = self.tenant(&request.tenant);
        match self.fault {
            Fault::EndOutside => request.window.end = request.window.end.saturating_sub(1),
            Fault::CursorIgnored => request.after = None,
            _ => {}
        }
        let found = self.inner.search(request);
        let is_short = self.fault == Fault::PageShort;
        Box::pin(async move {
            let mut answer = found.await?;
            if is_short && answer.has_more {
                answer.traces.pop();
            }
            Ok(answer)
        })
    }

    fn services(&self, tenant: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        self.inner.services(&self.tenant(tenant))
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        self.inner.operations(&self.tenant(tenant), service)
    }

    fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>> {
        self.inner.dependencies(&self.tenant(tenant), window)
    }

    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        self.inner.facts(&self.tenant(tenant), traces)
    }

    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        self.inner.seen(&self.tenant(tenant))
    }

    fn values(&self, request: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        self.inner.values(request)
    }

    fn rates(&self, request: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        self.inner.rates(request)
    }
}

#[test]
fn what_is_wrong_or_not_declared_fails_in_the_cases_about_it() {
    let failed_of = |fault: Fault| {
        let wrong = Wrong {
            inner: OracleStore::new(),
            fault,
        };
        let failed = report(&wrong, &wrong).failed.into_iter();
        failed.map(|(name, _)| name).collect::<BTreeSet<String>>()
    };
    // What the trait refuses by default is not declared.
    let refused = failed_of(Fault::None);
    let groups = [
        "count: ",
        "overview: ",
        "structure: ",
        "newest spans: ",
        "slowest spans: ",
    ];
    for group in groups {
        assert!(
            refused.iter().any(|name| name.starts_with(group)),
            "{group}"
        );
    }
    let in_group = |name: &String| groups.iter().any(|group| name.starts_with(group));
    assert!(refused.iter().all(in_group), "{refused:?}");
    for (fault, name) in [
        (Fault::ClaimsToLack, "values: of a span"),
        (Fault::PageShort, "newest: pages"),
        (Fault::EndOutside, "window: both ends inside"),
        (Fault::EndOutside, "window: one nanosecond"),
        (Fault::CursorIgnored, "slowest: pages over equal keys"),
        (Fault::TenantIgnored, "tenant: theirs alone"),
        (Fault::TraceCut, "trace: large"),
    ] {
        let failed = failed_of(fault);
        assert!(
            failed.contains(name),
            "{fault:?} passes {name:?}: {failed:?}"
        );
    }
}
