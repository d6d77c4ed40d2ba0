//! Credentials, tenants and origins: who is let in, who is not, and what is said.

use std::fs;
use std::path::{Path, PathBuf};

use http::{HeaderName, Method, StatusCode};
use plumbing::Metrics;

use super::*;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("access-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn hashed(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

fn load(options: AccessOptions) -> Result<Access, FileError> {
    Access::load("query", options, &AccessMetrics::register(&Metrics::new()))
}

fn tokens(path: &Path) -> AccessOptions {
    AccessOptions {
        tokens_file: Some(path.to_owned()),
        ..AccessOptions::default()
    }
}

fn users(path: &Path) -> AccessOptions {
    AccessOptions {
        users_file: Some(path.to_owned()),
        ..AccessOptions::default()
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}

fn basic(name: &str, password: &str) -> HeaderMap {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    headers(&[("authorization", &format!("Basic {text}"))])
}

fn bearer(token: &str) -> HeaderMap {
    headers(&[("authorization", &format!("Bearer {token}"))])
}

fn tenancy(fallback: Option<&str>, names: &[&str]) -> Tenancy {
    let tenant = |name: &str| TenantId::parse(name).unwrap();
    let names: Vec<TenantId> = names.iter().map(|name| tenant(name)).collect();
    Tenancy::new(
        HeaderName::from_static("x-tenant"),
        fallback.map(tenant),
        &names,
    )
}

#[tokio::test]
async fn without_files_everybody_is_let_in_as_the_one_tenant() {
    let access = Access::open();
    let tenant = access.admit_as(&HeaderMap::new()).await;
    assert_eq!(tenant, Ok(TenantId::default()));
    assert!(Gate::open().lets_strangers_in());
}

#[tokio::test]
async fn a_token_lets_in_and_nothing_else_does() {
    let folder = Folder::new("token");
    let hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let path = folder.file("tokens", &format!("# of machines\n\n{TOKEN}\n{hash}\n"));
    let access = load(tokens(&path)).unwrap();
    assert!(access.admit(&bearer(TOKEN)).await.is_ok());
    let lower = headers(&[("authorization", &format!("bearer  {TOKEN}"))]);
    assert!(access.admit(&lower).await.is_ok(), "schemes have no case");
    assert!(
        access.admit(&bearer("test")).await.is_ok(),
        "a hashed token"
    );
    let missing = access.admit(&HeaderMap::new()).await.unwrap_err();
    assert_eq!(missing.label(), "no_credentials");
    assert_eq!(missing.challenges(), ["Bearer realm=\"Trackway\""]);
    let twice = headers(&[
        ("authorization", &format!("Bearer {TOKEN}")),
        ("authorization", "Bearer other"),
    ]);
    let wrong = [
        bearer(&TOKEN.to_uppercase()),
        bearer(TOKEN.trim_start_matches('0')),
        bearer(hash),
        basic(TOKEN, TOKEN),
        headers(&[("authorization", TOKEN)]),
        headers(&[("authorization", "")]),
        twice,
    ];
    for wrong in wrong {
        let denied = access.admit(&wrong).await.unwrap_err();
        assert_eq!(denied.label(), "wrong_credentials", "{wrong:?}");
        assert_eq!(denied.http_status(), StatusCode::UNAUTHORIZED);
        assert_eq!(denied.grpc_code(), 16);
        assert!(!denied.to_string().contains(TOKEN));
    }
}

#[tokio::test]
async fn a_password_lets_in_by_its_hash_and_is_remembered_until_the_file_changes() {
    let folder = Folder::new("password");
    let path = folder.file("users", &format!("ann:{}\n", hashed("secret: ä")));
    let access = load(users(&path)).unwrap();
    for _ in 0..2 {
        assert!(access.admit(&basic("ann", "secret: ä")).await.is_ok());
    }
    for (name, password) in [
        ("ann", "Secret: ä"),
        ("ann", ""),
        ("bob", "secret: ä"),
        ("", ""),
    ] {
        let denied = access.admit(&basic(name, password)).await.unwrap_err();
        assert_eq!(denied.label(), "wrong_credentials", "{name} {password}");
        assert_eq!(denied.challenges().len(), 1);
    }
    assert!(!access.look(), "nothing has changed");
    fs::write(&path, format!("ann:{}\n", hashed("another"))).unwrap();
    assert!(access.look());
    assert!(access.admit(&basic("ann", "secret: ä")).await.is_err());
    assert!(access.admit(&basic("ann", "another")).await.is_ok());
    fs::write(&path, "ann:plain\n").unwrap();
    assert!(
        !access.look(),
        "a broken file leaves the one before in force"
    );
    assert!(access.admit(&basic("ann", "another")).await.is_ok());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_checked_as_slowly_as_a_wrong_password() {
    // The hash for nobody must be one that is really computed: a broken one is answered at once.
    let parsed: bcrypt::HashParts = password::NOBODY.parse().unwrap();
    assert_eq!(parsed.get_cost(), 10);
    assert_eq!(bcrypt::verify("x", password::NOBODY).ok(), Some(false));
}

#[test]
fn files_that_protect_less_than_they_seem_to_are_refused_without_repeating_them() {
    let folder = Folder::new("mistakes");
    let cases: [(&str, &str, &str); 12] = [
        ("tokens", "", "lets nobody in"),
        ("tokens", "# all\n", "lets nobody in"),
        ("tokens", "short-secret\n", "at least 16"),
        ("tokens", "0123456789 abcdef secret\n", "is no token"),
        ("tokens", "sha256:secret\n", "64 hexadecimal"),
        ("tokens", "0123456789abcdef:../secret\n", "is not 1 to 64"),
        (
            "tokens",
            "0123456789abcdef\n0123456789abcdef:a\n",
            "line 2: stands there twice",
        ),
        ("users", "ann\n", "htpasswd -nB"),
        ("users", "ann:secret\n", "no bcrypt hash"),
        ("users", "ann:$apr1$secret$x\n", "no bcrypt hash"),
        ("users", "ann:{SHA}secret\n", "no bcrypt hash"),
        (
            "users",
            "ann:$2y$15$abcdefghijklmnopqrstuuNl7r9YwB1gs1Lz1mOqwD1bYrk1iQNlG\n",
            "cost 15",
        ),
    ];
    for (kind, text, wanted) in cases {
        let path = folder.file(kind, text);
        let options = if kind == "users" {
            users(&path)
        } else {
            tokens(&path)
        };
        let error = load(options).unwrap_err().to_string();
        assert!(
            error.contains(wanted) && error.contains(kind),
            "{text:?}: {error}"
        );
        let repeated = error.contains("secret") && !wanted.contains("1 to 64");
        assert!(!repeated, "{error}");
    }
    let missing = load(tokens(&folder.0.join("none")))
        .unwrap_err()
        .to_string();
    assert!(missing.contains("can't be read"), "{missing}");
}

#[tokio::test]
async fn a_tenant_is_that_of_the_header_in_jaegers_words() {
    let access = load(AccessOptions {
        tenancy: Some(tenancy(None, &["team-a", "team-b"])),
        ..AccessOptions::default()
    })
    .unwrap();
    let ask = |pairs: &[(&'static str, &str)]| {
        let (access, headers) = (access.clone(), headers(pairs));
        async move { access.admit_as(&headers).await }
    };
    let a = ask(&[("x-tenant", "team-a")]).await.unwrap();
    assert_eq!(a.as_str(), "team-a");
    let none = ask(&[]).await.unwrap_err();
    assert_eq!(
        (none.to_string().as_str(), none.grpc_code()),
        ("missing tenant header", 16)
    );
    let two = ask(&[("x-tenant", "team-a"), ("x-tenant", "team-b")]).await;
    let two = two.unwrap_err();
    assert_eq!(
        (two.to_string().as_str(), two.grpc_code()),
        ("extra tenant header", 7)
    );
    for name in ["team-c", "", "../team-a", "team-a,team-b", "default"] {
        let unknown = ask(&[("x-tenant", name)]).await.unwrap_err();
        assert_eq!(
            (unknown.to_string().as_str(), unknown.grpc_code()),
            ("unknown tenant", 7)
        );
        assert_eq!(unknown.http_status(), StatusCode::UNAUTHORIZED);
        assert!(
            unknown.challenges().is_empty(),
            "no browser asks for a password"
        );
    }
}

#[tokio::test]
async fn where_a_tenant_may_be_left_open_nobody_is_refused_for_it() {
    let access = load(AccessOptions {
        tenancy: Some(tenancy(None, &["team-a"])),
        ..AccessOptions::default()
    })
    .unwrap();
    let guest = access.admit(&HeaderMap::new()).await.unwrap();
    assert_eq!(guest.named_tenant(&HeaderMap::new()), Ok(None));
    let named = guest.named_tenant(&headers(&[("x-tenant", "team-a")]));
    assert_eq!(named.unwrap().unwrap().as_str(), "team-a");
    let unknown = guest.named_tenant(&headers(&[("x-tenant", "team-b")]));
    assert_eq!(unknown, Err(Denied::UnknownTenant));
}

#[tokio::test]
async fn credentials_reach_their_own_tenants_alone() {
    let folder = Folder::new("own");
    let one = "1111111111111111";
    let text = format!("{TOKEN}:team-a,team-b\n{one}:team-a\n");
    let access = load(AccessOptions {
        tenancy: Some(tenancy(Some("shared"), &[])),
        ..tokens(&folder.file("tokens", &text))
    })
    .unwrap();
    let ask = |token: &str, tenant: Option<&str>| {
        let mut headers = bearer(token);
        if let Some(tenant) = tenant {
            headers.insert("x-tenant", tenant.parse().unwrap());
        }
        let access = access.clone();
        async move {
            access
                .admit_as(&headers)
                .await
                .map(|tenant| tenant.to_string())
        }
    };
    assert_eq!(ask(TOKEN, Some("team-b")).await.unwrap(), "team-b");
    assert_eq!(ask(TOKEN, Some("team-c")).await, Err(Denied::UnknownTenant));
    assert_eq!(
        ask(TOKEN, None).await,
        Err(Denied::UnknownTenant),
        "not the fallback's"
    );
    assert_eq!(
        ask(one, None).await.unwrap(),
        "team-a",
        "the only one needs no header"
    );
    assert_eq!(ask(one, Some("team-b")).await, Err(Denied::UnknownTenant));
}

#[tokio::test]
async fn without_a_list_names_are_bounded() {
    let access = load(AccessOptions {
        tenancy: Some(tenancy(None, &[])),
        ..AccessOptions::default()
    })
    .unwrap();
    for number in 0..TENANTS_MAX {
        let named = headers(&[("x-tenant", &format!("t{number}"))]);
        assert!(access.admit_as(&named).await.is_ok());
    }
    let more = access.admit_as(&headers(&[("x-tenant", "more")])).await;
    assert_eq!(more, Err(Denied::UnknownTenant));
    assert!(
        access
            .admit_as(&headers(&[("x-tenant", "t0")]))
            .await
            .is_ok()
    );
}

#[test]
fn an_origin_is_allowed_character_by_character() {
    let origin = "https://shop.example.com";
    let cors = Cors::new(vec![Origin::parse(origin).unwrap()]);
    let asks = |origin: &str| {
        headers(&[
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-tenant"),
        ])
    };
    let (status, answer) = cors.preflight(&Method::OPTIONS, &asks(origin)).unwrap();
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(answer["access-control-allow-origin"], origin);
    assert_eq!(
        answer["access-control-allow-headers"],
        "content-type,x-tenant"
    );
    for other in [
        "https://shop.example.com.evil.org",
        "https://evil-shop.example.com",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://SHOP.example.com",
        "null",
    ] {
        let (status, answer) = cors.preflight(&Method::OPTIONS, &asks(other)).unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN, "{other}");
        assert!(!answer.contains_key("access-control-allow-origin"));
        let mut marked = HeaderMap::new();
        cors.mark(asks(other).get("origin"), &mut marked);
        assert_eq!(marked.len(), 1, "{marked:?}");
        assert_eq!(marked["vary"], "origin");
    }
    assert!(
        Cors::default()
            .preflight(&Method::OPTIONS, &asks(origin))
            .is_none()
    );
    for text in [
        "*",
        "https://*.example.com",
        "https://a/",
        "https://a/b",
        "a",
        "",
        "HTTPS://a",
        "null",
    ] {
        assert!(Origin::parse(text).is_err(), "{text}");
    }
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let site = |site: &str, origin: &str| headers(&[("sec-fetch-site", site), ("origin", origin)]);
    let (mine, theirs) = ("https://mine.example.com", "https://theirs.example.com");
    let cors = Cors::new(vec![Origin::parse(mine).unwrap()]);
    assert!(is_forged(&cors, &Method::POST, &site("cross-site", theirs)));
    assert!(is_forged(
        &cors,
        &Method::DELETE,
        &site("same-site", theirs)
    ));
    assert!(!is_forged(&cors, &Method::POST, &site("cross-site", mine)));
    assert!(!is_forged(
        &cors,
        &Method::POST,
        &site("same-origin", theirs)
    ));
    assert!(!is_forged(&cors, &Method::GET, &site("cross-site", theirs)));
    assert!(
        !is_forged(&cors, &Method::POST, &HeaderMap::new()),
        "no browser"
    );
}
