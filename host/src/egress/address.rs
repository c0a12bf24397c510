//! Which addresses may be connected to.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What an address is that is none of the public internet's. In a name server's answer it is most
/// likely a trap: whoever owns a name chooses the addresses it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    Loopback,
    Private,
    LinkLocal,
    Multicast,
    Unspecified,
    /// Where a cloud tells its machines their secrets.
    Metadata,
    /// Anything else that is not a service's: documentation, tunnels, what is not assigned.
    Reserved,
}

use AddressKind::{LinkLocal, Loopback, Metadata, Multicast, Private, Reserved, Unspecified};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

/// IANA's registry of special-purpose IPv4 addresses, and what clouds have made of public ones. The
/// first that fits counts.
const SPECIAL_V4: [(Ipv4Net, AddressKind); 20] = [
    (v4(0, 0, 0, 0, 32), Unspecified),
    (v4(0, 0, 0, 0, 8), Reserved),
    (v4(10, 0, 0, 0, 8), Private),
    // Alibaba Cloud.
    (v4(100, 100, 100, 200, 32), Metadata),
    // Shared by the customers of a provider.
    (v4(100, 64, 0, 0, 10), Private),
    (v4(127, 0, 0, 0, 8), Loopback),
    // Azure.
    (v4(168, 63, 129, 16, 32), Metadata),
    // All the others.
    (v4(169, 254, 169, 254, 32), Metadata),
    (v4(169, 254, 0, 0, 16), LinkLocal),
    (v4(172, 16, 0, 0, 12), Private),
    // Oracle Cloud.
    (v4(192, 0, 0, 192, 32), Metadata),
    (v4(192, 0, 0, 0, 24), Reserved),
    (v4(192, 0, 2, 0, 24), Reserved),
    (v4(192, 88, 99, 0, 24), Reserved),
    (v4(192, 168, 0, 0, 16), Private),
    (v4(198, 18, 0, 0, 15), Reserved),
    (v4(198, 51, 100, 0, 24), Reserved),
    (v4(203, 0, 113, 0, 24), Reserved),
    (v4(224, 0, 0, 0, 4), Multicast),
    (v4(240, 0, 0, 0, 4), Reserved),
];

/// What `2000::/3`, all that is assigned for the public internet, has that is not public.
const SPECIAL_V6: [(Ipv6Net, AddressKind); 4] = [
    // Teredo and ORCHID are in it.
    (v6(0x2001, 0, 0, 23), Reserved),
    (v6(0x2001, 0xdb8, 0, 32), Reserved),
    // 6to4: an IPv4 address is in it, private ones too.
    (v6(0x2002, 0, 0, 16), Reserved),
    (v6(0x3fff, 0, 0, 20), Reserved),
];

/// The rest of IPv6, as far as it has a name.
const NAMED_V6: [(Ipv6Net, AddressKind); 4] = [
    (v6(0xfd00, 0xec2, 0, 32), Metadata),
    (v6(0xfc00, 0, 0, 7), Private),
    (v6(0xfe80, 0, 0, 10), LinkLocal),
    (v6(0xff00, 0, 0, 8), Multicast),
];

const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// The prefix by which a network of IPv6 alone reaches IPv4 (NAT64).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// Whether an address may be connected to: it is public, or in a network that the operator has
/// named. The error says what else it is.
pub(super) fn check(address: IpAddr, allowed: &[IpNet]) -> Result<(), AddressKind> {
    let meant = meant(address);
    let Some(kind) = kind(meant) else {
        return Ok(());
    };
    // No service has one of these; connecting to `0.0.0.0` is connecting to oneself.
    let is_somebody = !matches!(kind, Unspecified | Multicast) && meant != Ipv4Addr::BROADCAST;
    let is_allowed = |network: &IpNet| network.contains(&meant) || network.contains(&address);
    if is_somebody && allowed.iter().any(is_allowed) {
        return Ok(());
    }
    Err(kind)
}

/// Where an octet sent to this address ends up: an IPv4 address may be written as an IPv6 one.
fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        address => address,
    }
}

/// None for a public address.
fn kind(address: IpAddr) -> Option<AddressKind> {
    match address {
        IpAddr::V4(v4) => find(&SPECIAL_V4, |network| network.contains(&v4)),
        IpAddr::V6(v6) if PUBLIC_V6.contains(&v6) => {
            find(&SPECIAL_V6, |network| network.contains(&v6))
        }
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(Loopback),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(Unspecified),
        IpAddr::V6(v6) => find(&NAMED_V6, |network| network.contains(&v6)).or(Some(Reserved)),
    }
}

fn find<N>(table: &[(N, AddressKind)], contains: impl Fn(&N) -> bool) -> Option<AddressKind> {
    let found = table.iter().find(|(network, _)| contains(network))?;
    Some(found.1)
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loopback => "a loopback address",
            Private => "a private address",
            LinkLocal => "a link-local address",
            Multicast => "a multicast address",
            Unspecified => "no address",
            Metadata => "a cloud's metadata service",
            Reserved => "a reserved address",
        })
    }
}

#[cfg(test)]
mod tests;
