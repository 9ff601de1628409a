//! [`Network`]: an IP address, or all that begin alike (CIDR, RFC 4632).
//!
//! ```text
//! network = address [ "/" prefix ]
//! prefix  = 0..32 (IPv4) | 0..128 (IPv6)
//! ```

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// An IP address, or all addresses that begin with the same bits: what an
/// [`AddressList`](crate::AddressList) is made of.
///
/// It is parsed from text, or made of an address and a [prefix](Self::new). An IPv6 address that stands for an IPv4 one
/// (`::ffff:10.0.0.1`) is that IPv4 address.
///
/// ```
/// use ferromq::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains([10, 1, 2, 3].into()));
/// assert!(!network.contains([11, 1, 2, 3].into()));
/// assert_eq!(network.to_string(), "10.0.0.0/8");
///
/// let error = "10.0.0.1/8".parse::<Network>().unwrap_err();
/// assert!(error.to_string().contains("10.0.0.0/8"));
/// # Ok::<(), ferromq::NetworkError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    /// Never an IPv6 address that stands for an IPv4 one; no bit is set after the
    /// prefix.
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no [`Network`].
///
/// ```
/// use ferromq::{Network, NetworkError};
///
/// let error = "10.0.0.0/33".parse::<Network>().unwrap_err();
/// assert!(matches!(error, NetworkError::Prefix { most: 32, .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// It does not begin with an IP address.
    #[error(
        "{text:?} is no address: one looks like 10.0.0.1 or fd00::1, \
         a network like 10.0.0.0/8 or fd00::/8; names are not looked up"
    )]
    Address {
        /// The text.
        text: String,
    },
    /// It has a port, and who comes in is not decided by that.
    #[error("{text:?} has a port, and only an address is wanted: {address}")]
    Port {
        /// The text.
        text: String,
        /// What is before the port.
        address: IpAddr,
    },
    /// What comes after the slash is no number of bits.
    #[error(
        "{text:?} has to have a number from 0 to {most} after the slash, as in {address}/{most}"
    )]
    Prefix {
        /// The text.
        text: String,
        /// What is before the slash.
        address: IpAddr,
        /// The bits of such an address.
        most: u8,
    },
    /// Bits are set that the prefix leaves open, so either of two things is meant.
    #[error(
        "{text:?} is neither a network nor an address: {network} is the one, {address} the other"
    )]
    Between {
        /// The text.
        text: String,
        /// The network that has the address in it.
        network: Network,
        /// What is before the slash.
        address: IpAddr,
    },
}

impl Network {
    /// The network of all addresses that begin with the same `prefix` bits as this one.
    ///
    /// ```
    /// # use ferromq::Network;
    /// let network = Network::new([10, 0, 0, 0].into(), 8)?;
    /// assert_eq!(network, "10.0.0.0/8".parse()?);
    /// assert!(Network::new([10, 0, 0, 1].into(), 8).is_err());
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// When the prefix is longer than the address, or the address has bits after it:
    /// [`NetworkError::Prefix`], [`NetworkError::Between`].
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        Self::checked(address, Some(prefix), || format!("{address}/{prefix}"))
    }

    /// Its first address; that of IPv4, if it is a part of IPv6 that stands for IPv4.
    ///
    /// ```
    /// # use ferromq::Network;
    /// let network: Network = "10.0.0.0/8".parse()?;
    /// assert_eq!(network.address().to_string(), "10.0.0.0");
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits its addresses have in common: 32 or 128, if it is a single one.
    ///
    /// ```
    /// # use ferromq::Network;
    /// assert_eq!("10.0.0.0/8".parse::<Network>()?.prefix(), 8);
    /// assert_eq!("::1".parse::<Network>()?.prefix(), 128);
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the address is in it. One of IPv6 that stands for one of IPv4 is
    /// that one; other than that, those of IPv4 are in no network of IPv6, not even
    /// in `::/0`.
    ///
    /// ```
    /// # use ferromq::Network;
    /// let network: Network = "127.0.0.0/8".parse()?;
    /// assert!(network.contains("::ffff:127.0.0.1".parse().unwrap()));
    /// assert!(!network.contains("::1".parse().unwrap()));
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differs = (bits(address) ^ bits(self.address)) & mask(self.prefix);
        address.is_ipv4() == self.address.is_ipv4() && differs == 0
    }

    /// The network of these first bits that the address is in.
    fn around(address: IpAddr, prefix: u8) -> Self {
        let bits = bits(address) & mask(prefix);
        let address = match address {
            IpAddr::V4(_) => Ipv4Addr::from_bits((bits >> 96) as u32).into(),
            IpAddr::V6(_) => Ipv6Addr::from_bits(bits).into(),
        };
        Self { address, prefix }
    }

    /// The network of an address and the text after its slash.
    fn parse(text: &str, given: IpAddr, prefix: &str) -> Result<Self, NetworkError> {
        let is_number = !prefix.is_empty() && prefix.bytes().all(|octet| octet.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| is_number);
        Self::checked(given, prefix, || text.into())
    }

    /// The network of an address and what may be a prefix; `text` is what it was given as.
    fn checked(
        given: IpAddr,
        prefix: Option<u8>,
        text: impl Fn() -> String,
    ) -> Result<Self, NetworkError> {
        let most = width(given);
        let wrong = || NetworkError::Prefix { text: text(), address: given, most };
        let prefix = prefix.filter(|&prefix| prefix <= most).ok_or_else(wrong)?;
        let network = Self::around(given, prefix);
        if network.address != given {
            return Err(NetworkError::Between { text: text(), network, address: given });
        }
        Ok(network.canonical())
    }

    /// The same in IPv4, if it is a part of IPv6 that stands for IPv4.
    fn canonical(self) -> Self {
        // With a shorter prefix, bits would be set after it.
        match (self.address.to_canonical(), self.address) {
            (address @ IpAddr::V4(_), IpAddr::V6(_)) => Self { address, prefix: self.prefix - 96 },
            _ => self,
        }
    }
}

/// The bits of an address, from the left.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// How many there are.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// As many bits from the left.
fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        match (address.parse::<IpAddr>(), prefix) {
            (Ok(address), None) => Ok(address.into()),
            (Ok(address), Some(prefix)) => Self::parse(text, address, prefix),
            (Err(_), _) => Err(match address.parse::<SocketAddr>() {
                Ok(with_port) => NetworkError::Port { text: text.into(), address: with_port.ip() },
                Err(_) => NetworkError::Address { text: text.into() },
            }),
        }
    }
}

impl TryFrom<&str> for Network {
    type Error = NetworkError;

    fn try_from(text: &str) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl TryFrom<&String> for Network {
    type Error = NetworkError;

    fn try_from(text: &String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: width(address) }
    }
}

impl From<Ipv4Addr> for Network {
    fn from(address: Ipv4Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl From<Ipv6Addr> for Network {
    fn from(address: Ipv6Addr) -> Self {
        IpAddr::from(address).into()
    }
}

/// An address is a [`Network`] always, and what takes either has this error.
impl From<Infallible> for NetworkError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, prefix } = self;
        if *prefix == width(*address) {
            write!(f, "{address}")
        } else {
            write!(f, "{address}/{prefix}")
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network(\"{self}\")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_alike() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            ("10.1.2.0/23", ["10.1.2.0", "10.1.3.255"], ["10.1.1.255", "10.1.4.0"]),
            ("10.0.0.1", ["10.0.0.1", "::ffff:10.0.0.1"], ["10.0.0.0", "10.0.0.2"]),
            ("0.0.0.0/0", ["0.0.0.0", "::ffff:255.255.255.255"], ["::", "::1"]),
            ("::/0", ["::", "ffff::"], ["10.0.0.1", "::ffff:10.0.0.1"]),
            ("fd00::/8", ["fd00::", "fdff::1"], ["fc00::", "fe00::"]),
            ("::1/128", ["::1", "::1"], ["::", "0.0.0.1"]),
            ("::ffff:10.0.0.0/104", ["10.0.0.0", "::ffff:10.1.2.3"], ["11.0.0.0", "::10.0.0.1"]),
            ("::ffff:0:0/96", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
        ] {
            let network = network(text);
            assert!(inside.iter().all(|address| network.contains(ip(address))), "{text}");
            assert!(!outside.iter().any(|address| network.contains(ip(address))), "{text}");
        }
    }

    #[test]
    fn it_is_printed_as_it_is_parsed() {
        for text in ["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "fd00::/8", "::1", "::/0"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("10.0.0.1/32"), network("10.0.0.1"));
        assert_eq!(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
        assert_eq!(Network::from(ip("::ffff:10.0.0.1")), network("10.0.0.1"));
    }

    #[test]
    fn its_parts_make_it_again() {
        for text in ["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "fd00::/8", "::1", "::/0"] {
            let network = network(text);
            assert_eq!(Network::new(network.address(), network.prefix()), Ok(network));
        }
        assert_eq!(Network::new(ip("::ffff:10.0.0.0"), 104), Ok(network("10.0.0.0/8")));
        for (address, prefix) in [("10.0.0.0", 33), ("::1", 129), ("10.0.0.1", 8)] {
            let as_text = format!("{address}/{prefix}").parse::<Network>();
            assert_eq!(Network::new(ip(address), prefix), as_text);
            assert!(as_text.is_err());
        }
        assert_eq!(format!("{:?}", network("10.0.0.0/8")), r#"Network("10.0.0.0/8")"#);
    }

    #[test]
    fn errors_say_what_is_wrong_and_how_it_would_be_right() {
        let address = "is no address: one looks like 10.0.0.1 or fd00::1, a network like \
                       10.0.0.0/8 or fd00::/8; names are not looked up";
        let of = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        for text in ["", "/", "/8", "localhost", "10.0.0.256", "10.0.0", "010.0.0.1", " ::1", "*"] {
            assert_eq!(of(text), format!("{text:?} {address}"));
        }
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/-1"] {
            let right = "has to have a number from 0 to 32 after the slash, as in 10.0.0.0/32";
            assert_eq!(of(text), format!("{text:?} {right}"));
        }
        let right = "has to have a number from 0 to 128 after the slash, as in ::1/128";
        assert_eq!(of("::1/129"), format!("\"::1/129\" {right}"));
        let right = "has a port, and only an address is wanted";
        assert_eq!(of("10.0.0.1:5555"), format!("\"10.0.0.1:5555\" {right}: 10.0.0.1"));
        assert_eq!(of("[::1]:5555"), format!("\"[::1]:5555\" {right}: ::1"));
        let right =
            "is neither a network nor an address: 10.0.0.0/8 is the one, 10.0.0.1 the other";
        assert_eq!(of("10.0.0.1/8"), format!("\"10.0.0.1/8\" {right}"));
        assert!(of("::ffff:10.0.0.0/95").contains("is neither a network nor an address"));
    }
}
