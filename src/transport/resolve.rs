//! From a [`HostPort`] as it is written to addresses the system takes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use if_addrs::{Interface, get_if_addrs};

use super::BindFailure;
use crate::endpoint::{Host, HostPort};

/// The families of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn of(address: SocketAddr) -> Self {
        if address.is_ipv6() { Self::V6 } else { Self::V4 }
    }

    fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Self::V6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }

    fn loopback(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::LOCALHOST.into(),
            Self::V6 => Ipv6Addr::LOCALHOST.into(),
        }
    }
}

/// An address of this machine: a literal, or an address that `*` or an
/// interface has in `family`. No host is looked up, since whoever binds must
/// not wait for the network; `localhost` is the loopback address by RFC 6761.
pub(super) fn local(at: &HostPort, family: Family) -> Result<SocketAddr, BindFailure> {
    match &at.host {
        Host::Any => Ok((family.unspecified(), at.port).into()),
        Host::Name(name) if name.eq_ignore_ascii_case("localhost") => {
            Ok((family.loopback(), at.port).into())
        }
        Host::Name(name) => interface_address(name, at.port, family),
        Host::V4(_) | Host::V6(..) => literal(at),
    }
}

/// The addresses to connect to, in the order to try them: a literal, or what
/// the resolver knows, the families by turns. Those of IPv6 are left out unless
/// `ipv6`.
pub(super) async fn remote(at: &HostPort, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let Host::Name(name) = &at.host else {
        return Ok(vec![reachable(literal(at).map_err(into_io)?)]);
    };
    let all: Vec<SocketAddr> = tokio::net::lookup_host((&**name, at.port)).await?.collect();
    let enabled: Vec<SocketAddr> = all.iter().copied().filter(|a| ipv6 || a.is_ipv4()).collect();
    match (all.is_empty(), enabled.is_empty()) {
        (true, _) => Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address")),
        (false, true) => Err(io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            "the host has IPv6 addresses only, and the option `ipv6` is off",
        )),
        _ => Ok(interleaved(enabled)),
    }
}

/// Lets the families take turns, since often all addresses of one do not
/// answer. RFC 8305: "Whichever address family is first in the list should be
/// followed by an address of the other address family". Within a family the
/// resolver's order stays.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().copied().map(Family::of) else { return addresses };
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| Family::of(*address) == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut ordered = Vec::new();
    while one.len() + other.len() > 0 {
        ordered.extend(one.next());
        ordered.extend(other.next());
    }
    ordered
}

/// What bind resolves, a connection resolves for its source.
pub(super) fn into_io(failure: BindFailure) -> io::Error {
    match failure {
        BindFailure::Io { source } | BindFailure::AddressInUse { source } => source,
        other => io::Error::new(io::ErrorKind::AddrNotAvailable, other),
    }
}

/// `0.0.0.0` and `[::]` are what a listener on every interface prints. Linux
/// connects them to itself, Windows does not, so we say what is meant.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Family::of(address).loopback());
    }
    address
}

fn literal(at: &HostPort) -> Result<SocketAddr, BindFailure> {
    match &at.host {
        Host::V4(ip) => Ok((*ip, at.port).into()),
        Host::V6(ip, None) => Ok((ip.to_canonical(), at.port).into()),
        Host::V6(ip, Some(zone)) => {
            Ok(SocketAddrV6::new(*ip, at.port, 0, zone_index(zone)?).into())
        }
        Host::Any | Host::Name(_) => Err(BindFailure::NoSuchInterface(at.host.to_string())),
    }
}

fn zone_index(zone: &str) -> Result<u32, BindFailure> {
    if let Ok(index) = zone.parse() {
        return Ok(index);
    }
    let index = get_if_addrs()?.into_iter().find(|i| i.name == zone).and_then(|i| i.index);
    index.ok_or_else(|| BindFailure::NoSuchInterface(zone.into()))
}

fn interface_address(name: &str, port: u16, family: Family) -> Result<SocketAddr, BindFailure> {
    let address = |interface: Interface| match interface.ip() {
        IpAddr::V4(ip) => SocketAddr::from((ip, port)),
        // Link-local addresses repeat on every link.
        IpAddr::V6(ip) if interface.is_link_local() => {
            SocketAddrV6::new(ip, port, 0, interface.index.unwrap_or(0)).into()
        }
        IpAddr::V6(ip) => (ip, port).into(),
    };
    let of_name = get_if_addrs()?.into_iter().filter(|i| i.name == name).map(address);
    let first = of_name.into_iter().find(|a| Family::of(*a) == family);
    first.ok_or_else(|| BindFailure::NoSuchInterface(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Address, Endpoint};

    fn host_port(text: &str) -> HostPort {
        match text.parse::<Endpoint>().unwrap().address() {
            Address::Tcp(address) => address.target.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn local_of(text: &str, family: Family) -> String {
        local(&host_port(text), family).map_or_else(|e| e.to_string(), |a| a.to_string())
    }

    /// The loopback interface, whatever its name.
    fn loopback() -> Interface {
        get_if_addrs().unwrap().into_iter().find(|i| i.ip() == Family::V4.loopback()).unwrap()
    }

    #[test]
    fn wildcards_and_names_follow_the_family() {
        assert_eq!(local_of("tcp://*:1", Family::V4), "0.0.0.0:1");
        assert_eq!(local_of("tcp://*:1", Family::V6), "[::]:1");
        assert_eq!(local_of("tcp://localhost:1", Family::V4), "127.0.0.1:1");
        assert_eq!(local_of("tcp://localhost:1", Family::V6), "[::1]:1");
        let name = loopback().name;
        assert_eq!(local_of(&format!("tcp://{name}:1"), Family::V4), "127.0.0.1:1");
    }

    #[test]
    fn families_take_turns_and_the_first_stays_first() {
        let parse = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<_>>();
        let [a, b, c, d] = ["[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "1.1.1.1:1"];
        for (given, expected) in [
            (&[a, b, c, d][..], &[a, d, b, c][..]),
            (&[d, a, b, c], &[d, a, b, c]),
            (&[a, d, "1.1.1.2:1", "1.1.1.3:1"], &[a, d, "1.1.1.2:1", "1.1.1.3:1"]),
            (&[b, a], &[b, a]),
            (&[], &[]),
        ] {
            assert_eq!(interleaved(parse(given)), parse(expected));
        }
    }

    #[test]
    fn literals_are_taken_as_they_are() {
        assert_eq!(local_of("tcp://1.2.3.4:1", Family::V6), "1.2.3.4:1");
        assert_eq!(local_of("tcp://[::ffff:1.2.3.4]:1", Family::V6), "1.2.3.4:1");
        assert_eq!(local_of("tcp://[fe80::1%7]:1", Family::V4), "[fe80::1%7]:1");
        let (name, index) = (loopback().name, loopback().index.unwrap());
        let expected = format!("[fe80::1%{index}]:1");
        assert_eq!(local_of(&format!("tcp://[fe80::1%{name}]:1"), Family::V6), expected);
    }

    #[test]
    fn unknown_interfaces_are_named() {
        for text in ["tcp://nosuch0:1", "tcp://[fe80::1%nosuch0]:1"] {
            assert!(local_of(text, Family::V4).contains("no network interface \"nosuch0\""));
        }
    }

    #[tokio::test]
    async fn hosts_are_looked_up_and_addresses_are_not() {
        let found = remote(&host_port("tcp://localhost:1"), false).await.unwrap();
        assert_eq!(found[0], "127.0.0.1:1".parse().unwrap());
        assert!(found.iter().all(SocketAddr::is_ipv4));
        let found = remote(&host_port("tcp://[::1]:1"), false).await.unwrap();
        assert_eq!(found, ["[::1]:1".parse().unwrap()]);
        let found = remote(&host_port("tcp://0.0.0.0:1"), false).await.unwrap();
        assert_eq!(found, ["127.0.0.1:1".parse().unwrap()]);
    }
}
