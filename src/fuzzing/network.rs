//! ```text
//! input = address(17) text
//! address = 4 / 6 / other octet, octets(16)
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Input;
use crate::{AddressList, Network};

pub(super) fn run(mut input: Input<'_>) {
    let address = address(&mut input);
    let alone = Network::from(address);
    assert!(alone.contains(address));
    is_printed_as_it_is(alone);
    let octets = input.rest(false);
    let text = String::from_utf8_lossy(&octets);
    match text.parse::<Network>() {
        Ok(network) => accepted(network, address),
        Err(error) => {
            let printed = error.to_string();
            assert!(printed.contains(&format!("{text:?}")), "it says what it is about");
            assert!(!printed.contains(char::is_control), "{printed:?}");
            assert!(printed.len() <= 256 + 10 * text.len(), "{} octets", printed.len());
            assert!(AddressList::allow([&*text]).is_err());
        }
    }
}

fn address(input: &mut Input<'_>) -> IpAddr {
    let kind = input.octet();
    let mut octets = [0; 16];
    for octet in &mut octets {
        *octet = input.octet();
    }
    let [first, second, third, fourth, ..] = octets;
    let v4 = Ipv4Addr::new(first, second, third, fourth);
    match kind % 3 {
        0 => v4.into(),
        1 => v4.to_ipv6_mapped().into(),
        _ => Ipv6Addr::from(octets).into(),
    }
}

fn is_printed_as_it_is(network: Network) {
    assert_eq!(network.to_string().parse(), Ok(network));
}

fn accepted(network: Network, address: IpAddr) {
    is_printed_as_it_is(network);
    let printed = network.to_string();
    let (first, prefix) = printed.split_once('/').unwrap_or((&printed, ""));
    let first: IpAddr = first.parse().expect("a network begins with an address");
    assert_eq!(first, first.to_canonical());
    assert!(network.contains(first));
    let prefix = prefix.parse().unwrap_or(if first.is_ipv4() { 32 } else { 128 });
    let is_in = begins_alike(&bits(first), &bits(address.to_canonical()), prefix);
    assert_eq!(network.contains(address), is_in, "{address} in {network}");
    lists(network, address);
}

/// The bits of an address, one by one: the model is as simple as can be.
fn bits(address: IpAddr) -> Vec<bool> {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect()
}

fn begins_alike(one: &[bool], other: &[bool], prefix: usize) -> bool {
    one.len() == other.len() && one[..prefix] == other[..prefix]
}

/// A list that allows lets in whom one that denies does not.
fn lists(network: Network, address: IpAddr) {
    let is_in = network.contains(address);
    let (allow, deny) = (AddressList::allow([network]), AddressList::deny([network]));
    let (allow, deny) = (allow.expect("it is one"), deny.expect("it is one"));
    assert_eq!((allow.lets_in(address), deny.lets_in(address)), (is_in, !is_in));
    allow.insert(address).expect("an address is a network");
    allow.insert(network).expect("it is on the list already");
    assert!(allow.lets_in(address) && allow.len() <= 2);
    assert!(allow.remove(address).expect("an address is a network"));
    assert_eq!(allow.lets_in(address), is_in && network != Network::from(address));
    assert_eq!(allow.remove(network).expect("it is one"), network != Network::from(address));
    assert!(allow.is_empty() && !allow.lets_in(address));
}
