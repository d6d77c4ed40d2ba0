//! What is said to who asks for spans: they are on their way to a store.

use model::capability::Capability;
use model::contract::{
    Answer, DependencyAnswer, OperationsAnswer, ReadError, SearchAnswer, SearchRequest, SpanReader,
    TraceAnswer, Window,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{SpanSearchAnswer, SpanSearchRequest, TenantId, TraceId};

use super::Kafka;

fn not_here<T: Send + 'static>() -> Answer<'static, Result<T, ReadError>> {
    let reason = "spans in Kafka are on their way to a store: ask where the ingester writes to";
    Box::pin(std::future::ready(Err(ReadError::BadQuestion {
        reason: reason.to_owned(),
    })))
}

impl SpanReader for Kafka {
    fn lacks(&self) -> &[Capability] {
        &[
            Capability::SpanSearch,
            Capability::Keys,
            Capability::Values,
            Capability::Rates,
            Capability::Counts,
            Capability::Overview,
            Capability::Structure,
            Capability::Dependencies,
        ]
    }

    fn trace(&self, _: &TenantId, _: TraceId) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        not_here()
    }

    fn search(&self, _: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>> {
        not_here()
    }

    fn search_spans(
        &self,
        _: SpanSearchRequest,
    ) -> Answer<'_, Result<SpanSearchAnswer, ReadError>> {
        not_here()
    }

    fn services(&self, _: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        not_here()
    }

    fn operations(&self, _: &TenantId, _: &str) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        not_here()
    }

    fn dependencies(
        &self,
        _: &TenantId,
        _: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>> {
        not_here()
    }

    fn facts(&self, _: &TenantId, _: Vec<TraceId>) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        not_here()
    }

    fn seen(&self, _: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        not_here()
    }

    fn values(&self, _: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        not_here()
    }

    fn rates(&self, _: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        not_here()
    }
}
