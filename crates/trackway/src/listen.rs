//! Opens every listener before anything else, so that a port that is taken is told at once.
//!
//! Promises: `localhost` is 127.0.0.1 and, where the machine has it, ::1, on the same port; a failure names the
//! port, its owner where it can be known, the configuration key, and what to do.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{Address, Host, Kind, Listen};
use crate::error::Error;
use crate::port_owner::owner_of;

/// Connections that the kernel holds until they are accepted; it caps the number itself.
const BACKLOG_CONNECTIONS: i32 = 1024;
/// Datagrams that the kernel is asked to hold until they are read; it caps the number itself.
const RECEIVE_BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// The sockets of every listener that is on, by the name of its key.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    tcp: Vec<(&'static str, Vec<TcpListener>)>,
    udp: Vec<(&'static str, Vec<UdpSocket>)>,
}

/// The first address of every listener that is on, by the name of its key.
pub(crate) type Addresses = Vec<(&'static str, SocketAddr)>;

/// A listener that was tried: its port, and what came of it.
pub(crate) type Probed = (Kind, u16, Result<(), Error>);

impl Listeners {
    /// Opens all of them.
    pub(crate) fn open(listen: &Listen) -> Result<Self, Error> {
        let mut opened = Self::default();
        for (name, kind, address) in listen.addresses() {
            opened.open_one(name, kind, address, listen.host)?;
        }
        Ok(opened)
    }

    /// Opens each and closes it again. Those that are off are not told.
    pub(crate) fn probe(listen: &Listen) -> Vec<Probed> {
        let addresses = listen.addresses().into_iter();
        let probed = addresses.filter_map(|(name, kind, address)| {
            let port = match address {
                Address::Off => return None,
                Address::Port(port) | Address::Loopback(port) => port,
                Address::Socket(socket) => socket.port(),
            };
            let mut opened = Self::default();
            Some((
                kind,
                port,
                opened.open_one(name, kind, address, listen.host),
            ))
        });
        probed.collect()
    }

    fn open_one(
        &mut self,
        name: &'static str,
        kind: Kind,
        address: Address,
        host: Host,
    ) -> Result<(), Error> {
        match kind {
            Kind::Tcp => {
                let sockets = open_listener((name, kind), address, host, bind_tcp)?;
                self.tcp.push((name, sockets));
            }
            Kind::Udp => {
                let sockets = open_listener((name, kind), address, host, bind_udp)?;
                self.udp.push((name, sockets));
            }
        }
        Ok(())
    }

    /// Takes the sockets of a listener; none where it is off.
    pub(crate) fn take(&mut self, name: &str) -> Vec<TcpListener> {
        take(&mut self.tcp, name)
    }

    /// Takes the sockets of a listener for datagrams; none where it is off.
    pub(crate) fn take_udp(&mut self, name: &str) -> Vec<UdpSocket> {
        take(&mut self.udp, name)
    }

    /// Every listener's first address.
    pub(crate) fn addresses(&self) -> Addresses {
        let mut found: Addresses = Vec::new();
        for (name, address) in self.all() {
            if found.iter().all(|(known, _)| *known != name) {
                found.push((name, address));
            }
        }
        found
    }

    /// The addresses that can be reached from other machines.
    pub(crate) fn open_to_others(&self) -> Addresses {
        let all = self.all().into_iter();
        all.filter(|(_, address)| !address.ip().is_loopback())
            .collect()
    }

    /// Tells whether a listener takes datagrams.
    pub(crate) fn is_udp(&self, name: &str) -> bool {
        self.udp.iter().any(|(known, _)| *known == name)
    }

    /// Tells whether any listener takes datagrams.
    pub(crate) fn has_datagrams(&self) -> bool {
        self.udp.iter().any(|(_, sockets)| !sockets.is_empty())
    }

    fn all(&self) -> Addresses {
        let tcp = self.tcp.iter().flat_map(|(name, sockets)| {
            let addresses = sockets.iter().filter_map(|socket| socket.local_addr().ok());
            addresses.map(|address| (*name, address))
        });
        let udp = self.udp.iter().flat_map(|(name, sockets)| {
            let addresses = sockets.iter().filter_map(|socket| socket.local_addr().ok());
            addresses.map(|address| (*name, address))
        });
        tcp.chain(udp).collect()
    }
}

fn take<T>(listeners: &mut [(&'static str, Vec<T>)], name: &str) -> Vec<T> {
    let found = listeners.iter_mut().find(|(known, _)| *known == name);
    found.map_or_else(Vec::new, |(_, sockets)| std::mem::take(sockets))
}

fn open_listener<T>(
    listener: (&str, Kind),
    address: Address,
    host: Host,
    bind: fn(SocketAddr) -> io::Result<T>,
) -> Result<Vec<T>, Error> {
    let (loopback_port, exact) = match (address, host) {
        (Address::Off, _) => (None, None),
        (Address::Loopback(port), _) | (Address::Port(port), Host::Loopback) => (Some(port), None),
        (Address::Port(port), Host::Ip(ip)) => (None, Some(SocketAddr::new(ip, port))),
        (Address::Socket(socket), _) => (None, Some(socket)),
    };
    let mut sockets = Vec::new();
    if let Some(port) = loopback_port {
        let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
        sockets.push(bind(v4).map_err(|error| refused(listener, v4, &error))?);
        match bind(v6) {
            // A free port on v4 need not be free on v6: one of them is enough then.
            _ if port == 0 => {}
            Ok(socket) => sockets.push(socket),
            Err(error) if is_without_v6(&error) => {}
            Err(error) => return Err(refused(listener, v6, &error)),
        }
    }
    if let Some(socket) = exact {
        sockets.push(bind(socket).map_err(|error| refused(listener, socket, &error))?);
    }
    Ok(sockets)
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind(address, Type::STREAM, Protocol::TCP)?;
    socket.listen(BACKLOG_CONNECTIONS)?;
    Ok(socket.into())
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = bind(address, Type::DGRAM, Protocol::UDP)?;
    // The kernel gives what it may; less only means that a burst is lost sooner.
    let _as_given = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    Ok(socket.into())
}

fn bind(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if kind == Type::STREAM {
        // A restart must not wait until the kernel forgets the connections of the run before. For datagrams it would
        // let two programs have one port.
        socket.set_reuse_address(true)?;
    }
    if let SocketAddr::V6(v6) = address {
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Tells whether the machine just has no IPv6.
fn is_without_v6(error: &io::Error) -> bool {
    const NO_SUCH_FAMILY: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

fn refused((name, kind): (&str, Kind), address: SocketAddr, error: &io::Error) -> Error {
    let flag = name.replace('_', "-");
    let port = address.port();
    let text = match error.kind() {
        io::ErrorKind::AddrInUse => {
            let owner = owner_of(kind, port)
                .map(|owner| format!(" by {} (process {})", owner.name, owner.pid));
            format!(
                "port {port} for listen.{name} ({address}) is taken{}; stop that program or choose another port \
                 with --{flag} PORT (0: a free one, off: none)",
                owner.unwrap_or_default()
            )
        }
        io::ErrorKind::PermissionDenied => format!(
            "port {port} for listen.{name} ({address}) is not allowed: ports below 1024 need the right to bind them; \
             choose another with --{flag} PORT"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "this machine has no address {}, which listen.{name} or listen.host asks for; choose one that it has, \
             0.0.0.0 for all of them",
            address.ip()
        ),
        _ => format!("can't listen on {address} for listen.{name}: {error}"),
    };
    Error::Listen(text)
}

/// The addresses as one line of JSON.
pub(crate) fn addresses_line(addresses: &Addresses) -> String {
    let map: serde_json::Map<String, serde_json::Value> = addresses
        .iter()
        .map(|(name, address)| ((*name).to_owned(), address.to_string().into()))
        .collect();
    format!("{}\n", serde_json::Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(set: impl Fn(&mut Listen)) -> Listen {
        let mut listen = Listen::off();
        set(&mut listen);
        listen
    }

    #[test]
    fn opens_nothing_that_is_off_and_a_free_port_for_0() {
        let listeners = Listeners::open(&listen(|listen| listen.admin = Address::Port(0))).unwrap();
        let addresses = listeners.addresses();
        assert_eq!(addresses.len(), 1);
        let (name, address) = addresses[0];
        assert_eq!(
            (name, address.ip()),
            ("admin", IpAddr::V4(Ipv4Addr::LOCALHOST))
        );
        assert_ne!(address.port(), 0);
        assert_eq!(
            addresses_line(&addresses),
            format!("{{\"admin\":\"{address}\"}}\n")
        );
        assert!(listeners.open_to_others().is_empty());
    }

    #[test]
    fn a_taken_port_is_told_with_owner_and_key() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Listeners::open(&listen(|listen| listen.otlp_http = Address::Port(port)))
            .unwrap_err()
            .line();
        assert!(
            error.starts_with(&format!(
                "port {port} for listen.otlp_http (127.0.0.1:{port}) is taken by "
            )),
            "{error}"
        );
        assert!(
            error.contains(&format!("(process {})", std::process::id())),
            "{error}"
        );
        assert!(error.contains("--otlp-http PORT"), "{error}");
    }

    #[test]
    fn an_address_that_the_machine_lacks_is_told() {
        // 192.0.2.0/24 is reserved for documentation: no machine has it.
        let address = Address::Socket("192.0.2.1:0".parse().unwrap());
        let error = Listeners::open(&listen(|listen| listen.admin = address))
            .unwrap_err()
            .line();
        assert!(error.contains("no address 192.0.2.1"), "{error}");
    }

    #[test]
    fn tells_what_others_can_reach() {
        let listeners = Listeners::open(&listen(|listen| {
            listen.host = Host::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            listen.admin = Address::Port(0);
            listen.health = Address::Loopback(0);
        }));
        assert_eq!(listeners.unwrap().open_to_others().len(), 1);
    }
}
