//! The way to a server: its name, the connection, TLS.
//!
//! Promises: the first step that fails is told, with what it usually means, and no later one is tried.

use std::net::SocketAddr;

use backends::Finding;
use tls::{ClientFiles, ClientTls, TlsMetrics};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::STEP_TIMEOUT;

/// A server on the way to which is looked at.
#[derive(Debug)]
pub(super) struct Peer<'a> {
    /// Without brackets.
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// The key that names it, for what to change.
    pub(super) key: &'a str,
    /// TLS, where it is spoken; the error of reading its files.
    pub(super) tls: Option<&'a Result<ClientTls, String>>,
}

/// The way to it, step by step; the last finding is not well where the way has an end before the server.
pub(super) async fn examine(peer: &Peer<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let addresses = match resolve(peer).await {
        Ok((addresses, finding)) => {
            found.extend(finding);
            addresses
        }
        Err(finding) => return vec![finding],
    };
    let stream = match connect(peer, &addresses).await {
        Ok((stream, finding)) => {
            found.push(finding);
            stream
        }
        Err(finding) => {
            found.push(finding);
            return found;
        }
    };
    match peer.tls {
        None => {
            if speaks_tls(peer, stream).await && !plumbing::planted("doctor-plain-to-tls-ignored") {
                found.push(Finding::wrong(
                    "TLS",
                    format!("{}:{} speaks TLS, and is spoken to plainly", peer.host, peer.port),
                    format!("write https:// in {} (in the chart: scheme: https), or switch TLS on there", peer.key),
                ));
            }
        }
        Some(Err(why)) => found.push(Finding::wrong("TLS", why.clone(), "")),
        Some(Ok(tls)) => found.push(
            match timeout(STEP_TIMEOUT, tls.connect(peer.host, stream)).await {
                Ok(Ok(_)) => Finding::well(
                    "TLS",
                    "its certificate is by an authority that is trusted, and for this name",
                ),
                Ok(Err(error)) => Finding::wrong("TLS", error.to_string(), ""),
                Err(_) => Finding::wrong(
                    "TLS",
                    format!("no handshake within {} s", STEP_TIMEOUT.as_secs()),
                    format!("does that port speak TLS? Look at {}", peer.key),
                ),
            },
        ),
    }
    found
}

type Resolved = (Vec<SocketAddr>, Option<Finding>);

async fn resolve(peer: &Peer<'_>) -> Result<Resolved, Finding> {
    let Peer {
        host, port, key, ..
    } = peer;
    let fix = || {
        let mut parts = host.split('.');
        let (name, namespace) = (parts.next().unwrap_or_default(), parts.next());
        match (namespace, parts.next()) {
            (Some(namespace), Some("svc")) => format!(
                "correct {key}; is there such a Service? `kubectl -n {namespace} get service {name}`"
            ),
            _ => format!(
                "correct {key}; in Kubernetes another namespace's Service is NAME.NAMESPACE.svc"
            ),
        }
    };
    let looked = timeout(STEP_TIMEOUT, lookup_host((*host, *port))).await;
    let addresses: Vec<SocketAddr> = match looked {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            return Err(Finding::wrong(
                "name",
                format!("{host} is not known: {error}"),
                fix(),
            ));
        }
        Err(_) => {
            return Err(Finding::wrong(
                "name",
                format!(
                    "nobody says within {} s what {host} is",
                    STEP_TIMEOUT.as_secs()
                ),
                "is there a way to the name server? A NetworkPolicy must let port 53 out",
            ));
        }
    };
    if addresses.is_empty() {
        return Err(Finding::wrong(
            "name",
            format!("{host} has no address"),
            fix(),
        ));
    }
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Ok((addresses, None));
    }
    let shown: Vec<String> = addresses
        .iter()
        .map(|address| address.ip().to_string())
        .collect();
    let finding = Finding::well("name", format!("{host} is {}", shown.join(", ")));
    Ok((addresses, Some(finding)))
}

async fn connect(
    peer: &Peer<'_>,
    addresses: &[SocketAddr],
) -> Result<(TcpStream, Finding), Finding> {
    let mut refusal = None;
    for address in addresses {
        match timeout(STEP_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let finding = Finding::well("connection", format!("{address} takes connections"));
                return Ok((stream, finding));
            }
            Ok(Err(error)) => {
                let fix = format!(
                    "is the server running, and on that port? In Kubernetes a Service without ready pods refuses, too. \
                     Look at {}",
                    peer.key
                );
                refusal = Some(Finding::wrong(
                    "connection",
                    format!("{address}: {error}"),
                    fix,
                ));
            }
            Err(_) => {
                let seconds = STEP_TIMEOUT.as_secs();
                let fix = "something on the way drops what is sent: a NetworkPolicy, a security group, a firewall; or \
                           the address is nobody's";
                let seen = format!("{address} does not answer within {seconds} s");
                refusal = Some(Finding::wrong("connection", seen, fix));
            }
        }
    }
    Err(refusal.unwrap_or_else(|| Finding::wrong("connection", "there is no address", "")))
}

/// Whether a server to which nothing was said in TLS speaks it.
async fn speaks_tls(peer: &Peer<'_>, stream: TcpStream) -> bool {
    let files = ClientFiles {
        insecure_skip_verify: true,
        ..ClientFiles::default()
    };
    // Nothing is sent to it but the greeting, so nobody need be trusted.
    let Ok(tls) = ClientTls::load("doctor", &files, &TlsMetrics::default()) else {
        return false;
    };
    matches!(
        timeout(STEP_TIMEOUT, tls.connect(peer.host, stream)).await,
        Ok(Ok(_))
    )
}
