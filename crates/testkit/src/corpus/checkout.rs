//! The shop's longest story: an order is prepared, paid, shipped, confirmed, and published to two consumers.
//!
//! It is where the corpus has its links (consumer to producer), its producers and its declined cards.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use rand::Rng;

use super::{
    calls::{Method, Statement, returns_at_once},
    catalogue::Service,
    trace::{NewSpan, SpanId, TraceBuilder, kind, uuid},
};
use crate::attribute::attribute;

const CALCULATE: Method = Method::new(Service::QUOTE, "shop.Quote", "Calculate", 900.0);
const CART_EMPTY: Method = Method::new(Service::CART, "shop.Cart", "Empty", 400.0);
const CART_GET: Method = Method::new(Service::CART, "shop.Cart", "Get", 500.0);
const CHARGE: Method = Method::new(Service::PAYMENT, "shop.Payment", "Charge", 9000.0);
const CONFIRM: Method = Method::new(Service::EMAIL, "shop.Email", "Confirm", 2500.0);
const CONVERT: Method = Method::new(Service::CURRENCY, "shop.Currency", "Convert", 120.0);
const SHIP: Method = Method::new(Service::SHIPPING, "shop.Shipping", "Ship", 800.0);
const SHIPPING_QUOTE: Method = Method::new(Service::SHIPPING, "shop.Shipping", "Quote", 600.0);

/// A message about an order on its way through the broker.
struct OrderMessage<'o> {
    order: &'o str,
    total: f64,
    partition: i32,
    offset: i64,
}

impl OrderMessage<'_> {
    fn attributes(&self, operation: &str) -> Vec<KeyValue> {
        vec![
            attribute("messaging.system", "kafka"),
            attribute("messaging.destination.name", "orders"),
            attribute("messaging.operation.type", operation),
            attribute("messaging.kafka.offset", self.offset),
            attribute(
                "messaging.destination.partition.id",
                self.partition.to_string(),
            ),
            attribute("messaging.message.id", self.order),
        ]
    }
}

impl TraceBuilder<'_> {
    /// The work of the checkout service for one order; its span must be the one added last.
    pub(super) fn check_out(&mut self, parent: SpanId, start_ns: u64, order: &str) -> u64 {
        let total: f64 = self.rng.random_range(5.0..900.0);
        let items = self.rng.random_range(1..6i64);
        let currency = ["EUR", "USD", "JPY"][self.user as usize % 3];
        let user = i64::from(self.user);
        self.extend_last([
            attribute("app.order.id", order),
            attribute("app.order.amount", (total * 100.0).round() / 100.0),
            attribute("app.order.items", items),
            attribute("app.order.currency", currency),
            attribute("app.user.id", user),
        ]);
        let from = Service::CHECKOUT;
        let t = self.prepare_order(parent, start_ns);
        let is_declined = self.rng.random_bool(0.02);
        let t = self.call(from, parent, CHARGE, t, |trace, server, t| {
            trace.charge_card(server, t, is_declined)
        });
        let t = self.call(from, parent, SHIP, t, returns_at_once);
        let t = self.call(from, parent, CART_EMPTY, t, |trace, server, t| {
            trace.cache(Service::CART, server, t)
        });
        let t = self.call(from, parent, CONFIRM, t, |trace, server, t| {
            let end = t + trace.duration_ns(8000.0);
            let attributes = vec![attribute("template", "confirmation.erb")];
            trace.leaf(
                Service::EMAIL,
                server,
                "sinatra.render_template",
                kind::INTERNAL,
                (t, end),
                attributes,
            );
            end
        });
        self.publish_order(parent, t, order, total)
    }

    fn prepare_order(&mut self, parent: SpanId, start_ns: u64) -> u64 {
        let (from, place) = (Service::CHECKOUT, self.next_place());
        let name = "prepareOrderItemsAndShippingQuote";
        let prepare = self.leaf(
            from,
            parent,
            name,
            kind::INTERNAL,
            (start_ns, start_ns + 1),
            vec![],
        );
        let mut t = self.call(from, prepare, CART_GET, start_ns, |trace, server, t| {
            trace.cache(Service::CART, server, t)
        });
        for _ in 0..self.rng.random_range(1..5i32) {
            t = self.get_product(from, prepare, t);
            t = self.call(from, prepare, CONVERT, t, returns_at_once);
        }
        t = self.call(from, prepare, SHIPPING_QUOTE, t, |trace, server, t| {
            trace.call(Service::SHIPPING, server, CALCULATE, t, returns_at_once)
        });
        self.end_span_at(place, t);
        t
    }

    fn charge_card(&mut self, parent: SpanId, start_ns: u64, is_declined: bool) -> u64 {
        let end_ns = start_ns + self.duration_ns(30_000.0);
        let transaction = uuid(self.rng);
        let status = if is_declined { 402i64 } else { 201 };
        self.push(NewSpan {
            service: Service::PAYMENT,
            parent: Some(parent),
            name: "POST api.bank.example",
            kind: kind::CLIENT,
            start_ns,
            end_ns,
            attributes: vec![
                attribute("http.request.method", "POST"),
                attribute(
                    "url.full",
                    format!("https://api.bank.example/v2/charges/{transaction}"),
                ),
                attribute("http.response.status_code", status),
                attribute("server.address", "api.bank.example"),
                attribute("server.port", 443i64),
                attribute("app.payment.transaction.id", transaction),
                attribute("app.payment.charged", !is_declined),
            ],
            error: is_declined.then_some("402 card declined"),
        });
        end_ns
    }

    fn publish_order(&mut self, parent: SpanId, start_ns: u64, order: &str, total: f64) -> u64 {
        let end_ns = start_ns + self.duration_ns(500.0);
        let partition = self.rng.random_range(0..12i32);
        let offset = self.rng.random_range(1_000_000..9_000_000i64);
        let message = OrderMessage {
            order,
            total,
            partition,
            offset,
        };
        let attributes = message.attributes("publish");
        let period_ns = (start_ns, end_ns);
        let producer = self.leaf(
            Service::CHECKOUT,
            parent,
            "orders publish",
            kind::PRODUCER,
            period_ns,
            attributes,
        );
        for consumer in [Service::ACCOUNTING, Service::FRAUD] {
            self.consume_order(consumer, producer, end_ns, &message);
        }
        end_ns
    }

    fn consume_order(
        &mut self,
        at: Service,
        producer: SpanId,
        sent_ns: u64,
        message: &OrderMessage<'_>,
    ) {
        let start_ns = sent_ns + self.duration_ns(4000.0);
        let end_ns = start_ns + self.duration_ns(3000.0);
        let attributes = message.attributes("process");
        let consumer = self.leaf(
            at,
            producer,
            "orders process",
            kind::CONSUMER,
            (start_ns, end_ns),
            attributes,
        );
        self.link_last(producer);
        let text = format!(
            "INSERT INTO orders (id, total) VALUES ('{}', {:.2})",
            message.order, message.total
        );
        self.database(
            at,
            consumer,
            Statement {
                table: "orders",
                text,
                median_us: 1500.0,
            },
            start_ns + 1000,
        );
    }
}
