//! The address of a tcp endpoint.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::EndpointFault;

/// The most octets of a host name (RFC 1035) and of a zone.
const MAX_HOST: usize = 255;

/// `[SOURCE;]HOST:PORT`
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TcpAddress {
    /// Where a connection comes from, if that was chosen.
    pub(crate) source: Option<HostPort>,
    pub(crate) target: HostPort,
}

/// A host and a port; 0 is any port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HostPort {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// A host as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Host {
    /// `*`
    Any,
    V4(Ipv4Addr),
    /// The zone is the name or the number of an interface.
    V6(Ipv6Addr, Option<Box<str>>),
    /// A host or an interface, as the role has it.
    Name(Box<str>),
}

impl TcpAddress {
    pub(super) fn parse(text: &str) -> Result<Self, EndpointFault> {
        let (source, target) = match text.rsplit_once(';') {
            Some((source, target)) => (Some(HostPort::parse(source)?), target),
            None => (None, text),
        };
        Ok(Self { source, target: HostPort::parse(target)? })
    }
}

impl HostPort {
    fn parse(text: &str) -> Result<Self, EndpointFault> {
        let end_of_host = match text.rfind(']') {
            Some(bracket) => bracket + 1,
            None => text.rfind(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(end_of_host);
        // An IPv6 address that lacks its port must not lose its last group.
        if port.is_empty() || parse_v6(text).is_some() && parse_v6(host).is_none() {
            Host::parse(if port.is_empty() { host } else { text })?;
            return Err(EndpointFault::MissingPort);
        }
        let host = Host::parse(host)?;
        let port = port.strip_prefix(':').ok_or_else(|| EndpointFault::BadHost(text.into()))?;
        Ok(Self { host, port: parse_port(port)? })
    }

    pub(super) fn socket_addr(&self) -> Option<SocketAddr> {
        match &self.host {
            Host::V4(ip) => Some((*ip, self.port).into()),
            Host::V6(ip, zone) => {
                let scope = zone.as_ref().map_or(Ok(0), |zone| zone.parse()).ok()?;
                Some(SocketAddrV6::new(*ip, self.port, 0, scope).into())
            }
            Host::Any | Host::Name(_) => None,
        }
    }
}

fn parse_port(text: &str) -> Result<u16, EndpointFault> {
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    match text {
        "" => Err(EndpointFault::MissingPort),
        "*" => Ok(0),
        // `parse` alone would take `+1`.
        _ if is_number => text.parse().map_err(|_| EndpointFault::BadPort(text.into())),
        _ => Err(EndpointFault::BadPort(text.into())),
    }
}

impl Host {
    /// IPv6 addresses may stand in brackets, nothing else may.
    pub(super) fn parse(text: &str) -> Result<Self, EndpointFault> {
        let bad = || EndpointFault::BadHost(text.into());
        if let Some(inner) = text.strip_prefix('[') {
            return inner.strip_suffix(']').and_then(parse_v6).ok_or_else(bad);
        }
        if text.contains(':') {
            return parse_v6(text).ok_or_else(bad);
        }
        match text {
            "" => Err(EndpointFault::MissingHost),
            "*" => Ok(Self::Any),
            _ => match text.parse() {
                Ok(ip) => Ok(Self::V4(ip)),
                Err(_) if is_name(text) => Ok(Self::Name(text.into())),
                Err(_) => Err(bad()),
            },
        }
    }
}

fn parse_v6(text: &str) -> Option<Host> {
    let Some((ip, zone)) = text.split_once('%') else {
        return Some(Host::V6(text.parse().ok()?, None));
    };
    let is_zone = !zone.is_empty() && zone.len() <= MAX_HOST && !zone.contains(is_reserved);
    is_zone.then_some(Host::V6(ip.parse().ok()?, Some(zone.into())))
}

/// Whether `text` may name a host or an interface. Names are not checked by
/// the rules of the DNS: interfaces, and hosts in practice, keep to others.
fn is_name(text: &str) -> bool {
    // Digits and dots are a mistyped IPv4 address. Resolvers take `1.2.3` and
    // `1234` for addresses too, and not for those that were meant.
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let is_odd = text.starts_with('.') || text.contains("..") || text.contains(is_reserved);
    !is_number && !is_odd && text.len() <= MAX_HOST && text.trim() == text
}

/// Characters that would be read as something else when the name is printed.
fn is_reserved(c: char) -> bool {
    c.is_control() || matches!(c, '/' | '\\' | '[' | ']' | ':' | ';' | '%' | '*' | '@' | '?' | '#')
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip, None),
        }
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                Host::V6(*v6.ip(), Some(v6.scope_id().to_string().into()))
            }
            _ => address.ip().into(),
        };
        Self { host, port: address.port() }
    }
}

impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "{source};")?;
        }
        self.target.fmt(f)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::V4(ip) => ip.fmt(f),
            Self::V6(ip, None) => write!(f, "[{ip}]"),
            Self::V6(ip, Some(zone)) => write!(f, "[{ip}%{zone}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<HostPort, EndpointFault> {
        TcpAddress::parse(text).map(|address| address.target)
    }

    #[test]
    fn good_addresses() {
        let v6 = |text: &str| Host::V6(text.parse().unwrap(), None);
        let zone = |text: &str, zone: &str| Host::V6(text.parse().unwrap(), Some(zone.into()));
        for (text, host, port) in [
            ("*:*", Host::Any, 0),
            ("*:0", Host::Any, 0),
            ("*:65535", Host::Any, 65535),
            ("1.2.128.129:123", Host::V4([1, 2, 128, 129].into()), 123),
            ("0.0.0.0:1", Host::V4(Ipv4Addr::UNSPECIFIED), 1),
            ("255.255.255.255:1", Host::V4(Ipv4Addr::BROADCAST), 1),
            ("name.example:1", Host::Name("name.example".into()), 1),
            ("name.example.:1", Host::Name("name.example.".into()), 1),
            ("eth0.100:1", Host::Name("eth0.100".into()), 1),
            ("[::1]:1234", v6("::1"), 1234),
            ("::1:1234", v6("::1"), 1234),
            ("[::]:*", v6("::"), 0),
            (":::80", v6("::"), 80),
            ("[abcd:1234::1:0:234]:1", v6("abcd:1234::1:0:234"), 1),
            ("1:2:3:4:5:6:7:8:9", v6("1:2:3:4:5:6:7:8"), 9),
            ("[::ffff:127.0.128.129]:1", v6("::ffff:127.0.128.129"), 1),
            ("[3000:4:5::1:234%2]:1", zone("3000:4:5::1:234", "2"), 1),
            ("fe80::1%eth0:1", zone("fe80::1", "eth0"), 1),
        ] {
            assert_eq!(parse(text), Ok(HostPort { host, port }), "{text}");
        }
    }

    #[test]
    fn bad_hosts() {
        for text in [
            "[1.2.3.4]:1",
            "[1.2.3.4:1",
            "1.2.3.4]:1",
            "[1.2.128].129:1",
            "1.2.3:1",
            "1.2.3.4.5:1",
            "256.0.0.1:1",
            "1234:1",
            "[name]:1",
            "[name:1",
            "na]me:1",
            "[*]:1",
            "[]:1",
            "a:b:1",
            "[abcd:1234::1:1",
            "abcd:1234::1]:1",
            "[abcd:1234:]:1:1",
            "abcd:1234:[::]:1",
            "[[::1]]:1",
            "[::1]]:1",
            "[::1]1",
            "[::1]x:1",
            "[::1%]:1",
            "[::1%a%b]:1",
            "12345::1:1x:1",
            "us er@host:1",
            "host/path:1",
            "-\n:1",
            ".name:1",
            "na..me:1",
            " name:1",
            "na*me:1",
            "%eth0:1",
        ] {
            assert!(matches!(parse(text), Err(EndpointFault::BadHost(_))), "{text}");
        }
        assert_eq!(parse(":1"), Err(EndpointFault::MissingHost));
        assert_eq!(parse(""), Err(EndpointFault::MissingHost));
        assert_eq!(parse("1.2.3.4:0;"), Err(EndpointFault::MissingHost));
        assert_eq!(parse(";1.2.3.4:0"), Err(EndpointFault::MissingHost));
    }

    #[test]
    fn bad_ports() {
        for text in [
            "70000",
            "65536",
            "bad",
            "1x",
            "+1",
            "-1",
            " 1",
            "1 ",
            "0x1",
            "1/",
            "**",
            "99999999999",
        ] {
            let fault = Err(EndpointFault::BadPort(text.into()));
            assert_eq!(parse(&format!("1.2.3.4:{text}")), fault);
            assert_eq!(parse(&format!("[::1]:{text}")), fault);
        }
        for text in [
            "1.2.3.4",
            "1.2.3.4:",
            "name",
            "*",
            "[::1]",
            "[::1]:",
            "::1",
            "fe80::1%eth0",
            "1:2:3:4:5:6:7:8",
        ] {
            assert_eq!(parse(text), Err(EndpointFault::MissingPort), "{text}");
        }
    }

    #[test]
    fn sources() {
        let address = TcpAddress::parse("eth0:*;name:80").unwrap();
        let source = HostPort { host: Host::Name("eth0".into()), port: 0 };
        assert_eq!(address.source, Some(source));
        assert_eq!(address.target.port, 80);
        for text in ["eth0;name:80", "1.2.3.4:1;1.2.3.4:1;name:80", "1.2.3.4:70000;name:80"] {
            assert!(TcpAddress::parse(text).is_err(), "{text}");
        }
    }
}
