//! What happens in the shop: a search, a look at a product, something put into the cart, or an order.
//!
//! Every visit enters by the edge proxy and the web front end; what lies behind them depends on the page.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use rand::Rng;

use super::{
    calls::{Method, Statement, returns_at_once},
    catalogue::Service,
    trace::{NewSpan, SpanId, TraceBuilder, kind, uuid},
};
use crate::attribute::attribute;

const ADD_ITEM: Method = Method::new(Service::CART, "shop.Cart", "AddItem", 600.0);
const GET_ADS: Method = Method::new(Service::ADS, "shop.Ads", "GetAds", 700.0);
const GET_PRODUCT: Method = Method::new(Service::CATALOG, "shop.Catalog", "GetProduct", 900.0);
const GET_PROFILE: Method = Method::new(Service::PROFILE, "shop.Profile", "Get", 700.0);
const PLACE_ORDER: Method = Method::new(Service::CHECKOUT, "shop.Checkout", "PlaceOrder", 5000.0);
const PRICE_QUOTE: Method = Method::new(Service::PRICING, "shop.Pricing", "Quote", 300.0);
const RECOMMEND: Method = Method::new(Service::RECOMMEND, "shop.Recommend", "List", 2500.0);
const SEARCH: Method = Method::new(Service::SEARCH, "shop.Search", "Query", 4000.0);
const STOCK_LEVEL: Method = Method::new(Service::INVENTORY, "shop.Inventory", "Level", 600.0);
const VERIFY: Method = Method::new(Service::AUTH, "shop.Auth", "Verify", 250.0);

const SEARCH_WORDS: [&str; 6] = [
    "lamp",
    "red shoes",
    "usb-c cable",
    "espresso machine",
    "tent",
    "running socks",
];

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
    "okhttp/5.1.0",
    "python-requests/2.33.0",
];

/// A page of the shop as it is asked for.
struct Page<'p> {
    method: &'p str,
    route: &'p str,
    path: String,
}

impl TraceBuilder<'_> {
    /// One visit of the shop, beginning at this nanosecond.
    pub(super) fn visit_shop(&mut self, start_ns: u64) {
        let choice: f64 = self.rng.random();
        match choice {
            r if r < 0.30 => self.search_page(start_ns),
            r if r < 0.72 => self.product_page(start_ns),
            r if r < 0.88 => self.add_to_cart(start_ns),
            _ => self.place_order(start_ns),
        }
    }

    fn search_page(&mut self, start_ns: u64) {
        let words = SEARCH_WORDS[self.rng.random_range(0..SEARCH_WORDS.len())];
        let path = format!(
            "/search?q={}&page={}",
            words.replace(' ', "+"),
            self.rng.random_range(1..9i32)
        );
        self.page(
            Page {
                method: "GET",
                route: "/search",
                path,
            },
            start_ns,
            |trace, web, t| {
                let t = trace.call(Service::WEB, web, SEARCH, t, |trace, server, t| {
                    trace.query_index(server, words, t)
                });
                trace.call(Service::WEB, web, GET_ADS, t, |trace, server, t| {
                    let end = t + trace.duration_ns(90.0);
                    let attributes = vec![
                        attribute("app.ads.category", "garden"),
                        attribute("app.ads.count", 2i64),
                    ];
                    trace.leaf(
                        Service::ADS,
                        server,
                        "getAdsByCategory",
                        kind::INTERNAL,
                        (t, end),
                        attributes,
                    );
                    end
                })
            },
        );
    }

    fn query_index(&mut self, parent: SpanId, words: &str, start_ns: u64) -> u64 {
        let end_ns = start_ns + self.duration_ns(6000.0);
        let query =
            format!("{{\"query\":{{\"multi_match\":{{\"query\":\"{words}\"}}}},\"size\":24}}");
        let attributes = vec![
            attribute("db.system.name", "opensearch"),
            attribute("db.operation.name", "search"),
            attribute("db.query.text", query),
            attribute("server.address", "opensearch.data.svc.cluster.local"),
            attribute("server.port", 9200i64),
        ];
        let name = "POST /products/_search";
        self.leaf(
            Service::SEARCH,
            parent,
            name,
            kind::CLIENT,
            (start_ns, end_ns),
            attributes,
        );
        end_ns
    }

    fn product_page(&mut self, start_ns: u64) {
        let path = format!("/product/{}", self.product);
        self.page(
            Page {
                method: "GET",
                route: "/product/{id}",
                path,
            },
            start_ns,
            |trace, web, t| {
                let product_end = trace.get_product(Service::WEB, web, t);
                let list_end =
                    trace.call(Service::WEB, web, RECOMMEND, t, |trace, server, mut t| {
                        for _ in 0..trace.rng.random_range(1..4i32) {
                            t = trace.get_product(Service::RECOMMEND, server, t);
                        }
                        t
                    });
                product_end.max(list_end)
            },
        );
    }

    fn add_to_cart(&mut self, start_ns: u64) {
        self.page(
            Page {
                method: "POST",
                route: "/cart",
                path: "/cart".into(),
            },
            start_ns,
            |trace, web, t| {
                let t = trace.call(Service::WEB, web, VERIFY, t, |trace, server, t| {
                    let end = t + trace.duration_ns(60.0);
                    let attributes = vec![attribute("jwt.alg", "ES256")];
                    trace.leaf(
                        Service::AUTH,
                        server,
                        "jwt.verify",
                        kind::INTERNAL,
                        (t, end),
                        attributes,
                    );
                    end
                });
                let t = trace.get_product(Service::WEB, web, t);
                trace.call(Service::WEB, web, ADD_ITEM, t, |trace, server, t| {
                    let t = trace.cache(Service::CART, server, t);
                    trace.cache(Service::CART, server, t)
                })
            },
        );
    }

    fn place_order(&mut self, start_ns: u64) {
        let order = uuid(self.rng);
        self.order = Some(order.clone());
        self.page(
            Page {
                method: "POST",
                route: "/checkout",
                path: "/checkout".into(),
            },
            start_ns,
            |trace, web, t| {
                let t = trace.call(Service::WEB, web, VERIFY, t, returns_at_once);
                let t = trace.call(Service::WEB, web, GET_PROFILE, t, |trace, server, t| {
                    let text = format!("SELECT * FROM users WHERE id = {}", trace.user);
                    trace.database(
                        Service::PROFILE,
                        server,
                        Statement {
                            table: "users",
                            text,
                            median_us: 900.0,
                        },
                        t,
                    )
                });
                trace.call(Service::WEB, web, PLACE_ORDER, t, |trace, server, t| {
                    trace.check_out(server, t, &order)
                })
            },
        );
    }

    /// A product with its stock level and price, as the page, the recommendations and the checkout ask for it.
    pub(super) fn get_product(&mut self, from: Service, parent: SpanId, start_ns: u64) -> u64 {
        let product = self.product.clone();
        self.call(from, parent, GET_PRODUCT, start_ns, |trace, server, t| {
            trace.extend_last([attribute("app.product.id", product.clone())]);
            let text =
                format!("SELECT id, name, price, stock FROM products WHERE id = '{product}'");
            let statement = Statement {
                table: "products",
                text,
                median_us: 1200.0,
            };
            let t = trace.database(Service::CATALOG, server, statement, t);
            let t = trace.call(
                Service::CATALOG,
                server,
                STOCK_LEVEL,
                t,
                |trace, server, t| {
                    let text = format!("SELECT level FROM stock WHERE sku = '{product}' FOR SHARE");
                    trace.database(
                        Service::INVENTORY,
                        server,
                        Statement {
                            table: "stock",
                            text,
                            median_us: 800.0,
                        },
                        t,
                    )
                },
            );
            trace.call(Service::CATALOG, server, PRICE_QUOTE, t, returns_at_once)
        })
    }

    /// A page: a root span at the edge, a span of the web front end, its middleware, and what `body` calls.
    fn page(
        &mut self,
        page: Page<'_>,
        start_ns: u64,
        body: impl FnOnce(&mut Self, SpanId, u64) -> u64,
    ) {
        let name = format!("{} {}", page.method, page.route);
        let status = self.http_status();
        let mut http = self.http_attributes(page, status);

        let edge_place = self.next_place();
        let mut edge_attributes = http.clone();
        edge_attributes.extend([
            attribute("upstream_cluster", "web"),
            attribute("response_size", self.rng.random_range(200..90_000i64)),
            attribute("guid:x-request-id", uuid(self.rng)),
        ]);
        let edge = self.push(NewSpan {
            service: Service::EDGE_PROXY,
            parent: None,
            name: &name,
            kind: kind::SERVER,
            start_ns,
            end_ns: start_ns + 1,
            attributes: edge_attributes,
            error: None,
        });

        let web_place = self.next_place();
        let web_start_ns = start_ns + self.duration_ns(150.0);
        http.extend(self.user_attributes());
        let web = self.push(NewSpan {
            service: Service::WEB,
            parent: Some(edge),
            name: &name,
            kind: kind::SERVER,
            start_ns: web_start_ns,
            end_ns: web_start_ns + 1,
            attributes: http,
            error: (status == 500).then_some("500 Internal Server Error"),
        });
        let attributes = vec![
            attribute("express.name", "session"),
            attribute("express.type", "middleware"),
        ];
        let period_ns = (web_start_ns + 1000, web_start_ns + 31_000);
        self.leaf(
            Service::WEB,
            web,
            "middleware - session",
            kind::INTERNAL,
            period_ns,
            attributes,
        );

        let first_ns = web_start_ns + self.duration_ns(300.0);
        let web_end_ns = body(self, web, first_ns) + self.duration_ns(400.0);
        self.end_span_at(web_place, web_end_ns);
        let edge_end_ns = web_end_ns + self.duration_ns(100.0);
        self.end_span_at(edge_place, edge_end_ns);
    }

    fn http_status(&mut self) -> i64 {
        if self.rng.random_bool(0.008) {
            500
        } else if self.rng.random_bool(0.01) {
            404
        } else {
            200
        }
    }

    fn http_attributes(&self, page: Page<'_>, status: i64) -> Vec<KeyValue> {
        let user = self.user;
        let client = format!(
            "{}.{}.{}.{}",
            user % 223 + 1,
            user / 223 % 256,
            user / 7 % 256,
            user / 13 % 256
        );
        vec![
            attribute("http.request.method", page.method),
            attribute("url.path", page.path),
            attribute("url.scheme", "https"),
            attribute("http.route", page.route),
            attribute("http.response.status_code", status),
            attribute("network.protocol.version", "2"),
            attribute(
                "user_agent.original",
                USER_AGENTS[user as usize % USER_AGENTS.len()],
            ),
            attribute("client.address", client),
            attribute("server.address", "shop.example.com"),
            attribute("server.port", 443i64),
        ]
    }

    fn user_attributes(&self) -> [KeyValue; 3] {
        let usual_tier = ["free", "plus", "pro"][self.user as usize % 3];
        [
            attribute("app.session.id", self.session.clone()),
            attribute("app.user.id", i64::from(self.user)),
            attribute(
                "app.user.tier",
                if self.is_rare {
                    "platinum-founder"
                } else {
                    usual_tier
                },
            ),
        ]
    }
}
