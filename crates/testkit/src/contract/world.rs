//! The spans that the suite asks about.
//!
//! Promises: times are whole microseconds, which every engine keeps; traces of different parts have different numbers
//! and lie in different minutes, so that a window picks a part.

use model::TenantId;

use crate::spans::{Ids, RequestBuilder, SpanKind, request};
use crate::{array, map};

pub(super) const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;
const MICRO: u64 = 1_000;

/// Traces through several services.
pub(super) const ORDERS: std::ops::RangeInclusive<u64> = 1..=24;
/// Traces that all start at one moment and take as long.
pub(super) const TIED: std::ops::RangeInclusive<u64> = 101..=108;
pub(super) const LARGE: u64 = 200;
/// Ids that several spans share.
pub(super) const TWINS: u64 = 300;
/// A trace that is written twice.
pub(super) const RESENT: u64 = 310;
/// Spans at the ends of what clocks say.
pub(super) const EXTREMES: std::ops::RangeInclusive<u64> = 401..=405;
/// A span with a value of every type.
pub(super) const TYPED: u64 = 501;
/// A span of no service.
pub(super) const NAMELESS: u64 = 502;
/// A trace whose first span is not known.
pub(super) const ORPHANS: u64 = 503;

/// Of the large trace: one more than the servers' usual limit of 10,000, and some.
pub(super) const LARGE_SPANS: u64 = 10_008;

pub(super) fn ids() -> Ids {
    Ids::new(SEED)
}
const SEED: u64 = 8;

/// Whose spans most are.
pub(super) fn tenant() -> TenantId {
    TenantId::default()
}

/// Somebody who has one trace, with the id of another's.
pub(super) fn other_tenant() -> TenantId {
    TenantId::parse("other").unwrap_or_default()
}

/// When an order begins.
pub(super) fn order_start(base: u64, number: u64) -> u64 {
    base + number * 20 * SECOND
}

/// When those that start at one moment do.
pub(super) fn tied_start(base: u64) -> u64 {
    base + 1_200 * SECOND
}

pub(super) fn odd_start(base: u64) -> u64 {
    base + 1_800 * SECOND
}

/// Behind all others, but what is at the end of time.
pub(super) fn large_start(base: u64) -> u64 {
    base + 3_600 * SECOND
}

/// All requests in the order in which they are written.
pub(super) fn requests(base: u64) -> Vec<(TenantId, Vec<u8>)> {
    let mut requests = Vec::new();
    for number in ORDERS {
        requests.push(order(order_start(base, number), number).encode());
    }
    requests.push(tied(tied_start(base)).encode());
    requests.push(large(large_start(base)).encode());
    requests.push(twins(odd_start(base)).encode());
    let resent = resent(odd_start(base) + 60 * SECOND);
    requests.push(resent.clone().encode());
    requests.push(resent.encode());
    requests.push(extremes(base).encode());
    requests.push(odd(odd_start(base) + 120 * SECOND).encode());
    let mut requests: Vec<_> = requests
        .into_iter()
        .map(|request| (tenant(), request))
        .collect();
    // The same ids with other content.
    let start = order_start(base, 1);
    let theirs = request().seed(SEED).service("theirs").span("secret", |s| {
        s.trace(1).id(11).start_ns(start).lasting_ns(5 * MILLI)
    });
    requests.push((other_tenant(), theirs.encode()));
    requests
}

/// An order: the shop asks the cart, every second one is paid, some fail.
fn order(start: u64, number: u64) -> RequestBuilder {
    let status = [200_i64, 404, 500, 200][index(number, 4)];
    let length = (number % 7 + 1) * 10 * MILLI;
    let first = number * 10;
    let mut builder = request()
        .seed(SEED)
        .service("shop")
        .resource_attr("host.name", format!("web-{}", number % 2))
        .resource_attr("replicas", 3_i64)
        .scope("http", "1.2.0")
        .scope_attr("stable", true)
        .span(&format!("GET /cart/{}", number % 4), |s| {
            let mut s = s
                .trace(number)
                .id(first + 1)
                .kind(SpanKind::Server)
                .start_ns(start)
                .lasting_ns(length)
                .attr("http.response.status_code", status)
                .attr("customer", format!("customer-{}", number % 5))
                .attr("vip", number.is_multiple_of(3))
                .attr("ratio", number_as_ratio(number))
                .event("cache.miss")
                .event_at_ns(start + MILLI)
                .event_attr("key", format!("k{}", number % 3));
            if number % 4 == 1 {
                s = s.trace_state(&format!("vendor=a{}", number % 3));
            }
            if number.is_multiple_of(5) {
                s = s
                    .link(number + 1, (number + 1) * 10 + 1)
                    .link_attr("why", "retry");
            }
            match status {
                500 => s.error("upstream failed"),
                _ if number.is_multiple_of(6) => s.ok(),
                _ => s,
            }
        })
        .service("cart")
        .resource_attr("zone", format!("eu-{}", number % 2))
        .scope("sql", "2.0")
        .span("SELECT", |s| {
            s.trace(number)
                .id(first + 2)
                .parent(first + 1)
                .kind(SpanKind::Client)
                .start_ns(start + 2 * MILLI)
                .lasting_ns(number * 100 * MICRO)
                .attr("db.system", "postgres")
                .attr("rows", i64::try_from(number).unwrap_or_default())
        });
    if number.is_multiple_of(2) {
        builder = builder.service("payment").span("charge", |s| {
            s.trace(number)
                .id(first + 3)
                .parent(first + 1)
                .kind(SpanKind::Producer)
                .start_ns(start + 5 * MILLI)
                .lasting_ns(3 * MILLI + number * MICRO)
                // A number here, a text there.
                .attr("customer", i64::try_from(number).unwrap_or_default())
                .attr("currency", ["EUR", "USD"][index(number / 2, 2)])
        });
    }
    builder
}

fn index(number: u64, of: u64) -> usize {
    usize::try_from(number % of).unwrap_or_default()
}

fn number_as_ratio(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or_default()) / 4.0
}

fn tied(start: u64) -> RequestBuilder {
    let mut builder = request().seed(SEED).service("tied");
    for number in TIED {
        builder = builder.span("tick", |s| {
            s.trace(number)
                .id(number * 10)
                .start_ns(start)
                .lasting_ns(5 * MILLI)
        });
    }
    builder
}

fn large(start: u64) -> RequestBuilder {
    let mut builder = request().seed(SEED).service("large");
    for number in 1..=LARGE_SPANS {
        builder = builder.span("step", |s| {
            let s = s
                .trace(LARGE)
                .id(100_000 + number)
                .start_ns(start + number * MICRO)
                .lasting_ns(MICRO)
                .attr("number", i64::try_from(number).unwrap_or_default());
            if number == 1 { s } else { s.parent(100_001) }
        });
    }
    builder
}

/// 200 spans; every twentieth has the id of the one before.
fn twins(start: u64) -> RequestBuilder {
    let mut builder = request().seed(SEED).service("twins");
    for number in 1..=200_u64 {
        let id = if number.is_multiple_of(20) {
            number - 1
        } else {
            number
        };
        builder = builder.span("twin", |s| {
            s.trace(TWINS)
                .id(200_000 + id)
                .start_ns(start + number * MILLI)
                .lasting_ns(MILLI)
                .attr("number", i64::try_from(number).unwrap_or_default())
        });
    }
    builder
}

fn resent(start: u64) -> RequestBuilder {
    let builder = request().seed(SEED).service("resent");
    builder.span("once", |s| {
        s.trace(RESENT)
            .id(300_001)
            .start_ns(start)
            .lasting_ns(MILLI)
    })
}

fn extremes(base: u64) -> RequestBuilder {
    let mut builder = request().seed(SEED).service("extremes");
    let (epoch, far) = (MICRO, 7_258_118_400 * SECOND);
    let spans = [
        (401, "first microsecond", epoch, epoch + MICRO),
        (402, "two centuries on", far, far + SECOND),
        (403, "no time", odd_start(base), odd_start(base)),
        (
            404,
            "a day",
            odd_start(base),
            odd_start(base) + 86_400 * SECOND,
        ),
        (405, "backwards", odd_start(base) + SECOND, odd_start(base)),
    ];
    for (number, name, start, end) in spans {
        builder = builder.span(name, |s| {
            s.trace(number).id(number * 10).start_ns(start).end_ns(end)
        });
    }
    builder
}

fn odd(start: u64) -> RequestBuilder {
    request()
        .seed(SEED)
        .service("types")
        .span("every type", |s| {
            s.trace(TYPED)
                .id(501_001)
                .start_ns(start)
                .lasting_ns(MILLI)
                .attr("t.text", "naïve 日本 \"quoted\"")
                .attr("t.digits", "500")
                .attr("t.int", 500_i64)
                .attr("t.least", i64::MIN)
                .attr("t.double", 2.5)
                .attr("t.whole", 7.0)
                .attr("t.true", true)
                .attr("t.bytes", vec![0_u8, 255, 1])
                .attr("t.list", array([1_i64.into(), "two".into()]))
                .attr("t.map", map([("inner", "x".into())]))
                .attr("", "a key without a name")
                .attr("a.very.long.text", "x".repeat(5_000))
        })
        .resource()
        .span("of nobody", |s| {
            s.trace(NAMELESS)
                .id(502_001)
                .start_ns(start + SECOND)
                .lasting_ns(MILLI)
        })
        .service("orphans")
        .span("left", |s| {
            s.trace(ORPHANS)
                .id(503_001)
                .parent(503_999)
                .start_ns(start + 2 * SECOND)
                .lasting_ns(MILLI)
        })
        .span("right", |s| {
            s.trace(ORPHANS)
                .id(503_002)
                .parent(503_001)
                .start_ns(start + 3 * SECOND)
                .lasting_ns(MILLI)
        })
}
