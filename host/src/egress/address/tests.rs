use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

#[test]
fn what_is_public_may_be_connected_to() {
    for public in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001:81b::200e",
        "3fff:1000::",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
    ] {
        assert_eq!(check(ip(public), &[]), Ok(()), "{public}");
    }
}

#[test]
fn what_is_not_public_may_not() {
    for (address, kind) in [
        ("0.0.0.0", Unspecified),
        ("0.1.2.3", Reserved),
        ("10.0.0.0", Private),
        ("10.255.255.255", Private),
        ("100.64.0.1", Private),
        ("100.100.100.200", Metadata),
        ("127.0.0.1", Loopback),
        ("127.255.255.255", Loopback),
        ("168.63.129.16", Metadata),
        ("169.254.0.1", LinkLocal),
        ("169.254.169.254", Metadata),
        ("172.16.0.1", Private),
        ("172.31.255.255", Private),
        ("192.0.0.192", Metadata),
        ("192.0.2.1", Reserved),
        ("192.168.1.1", Private),
        ("198.19.0.1", Reserved),
        ("224.0.0.1", Multicast),
        ("255.255.255.255", Reserved),
        ("::", Unspecified),
        ("::1", Loopback),
        ("::ffff:127.0.0.1", Loopback),
        ("::ffff:169.254.169.254", Metadata),
        ("::ffff:0.0.0.0", Unspecified),
        ("::127.0.0.1", Reserved),
        ("64:ff9b::10.0.0.1", Private),
        ("64:ff9b:1::10.0.0.1", Reserved),
        ("100::1", Reserved),
        ("2001::1", Reserved),
        ("2001:db8::1", Reserved),
        ("2002:7f00:1::", Reserved),
        ("3fff::1", Reserved),
        ("4000::", Reserved),
        ("fc00::1", Private),
        ("fd00:ec2::254", Metadata),
        ("fe80::1", LinkLocal),
        ("fec0::1", Reserved),
        ("ff02::1", Multicast),
    ] {
        assert_eq!(check(ip(address), &[]), Err(kind), "{address}");
    }
}

#[test]
fn the_operator_may_allow_a_network() {
    let allowed = [net("127.0.0.1/32"), net("10.1.0.0/16"), net("fd00::/8")];
    for address in [
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "10.1.255.255",
        "64:ff9b::10.1.2.3",
        "fd12::1",
    ] {
        assert_eq!(check(ip(address), &allowed), Ok(()), "{address}");
    }
    for address in ["127.0.0.2", "10.2.0.0", "::1", "fc00::1", "169.254.169.254"] {
        assert!(check(ip(address), &allowed).is_err(), "{address}");
    }
}

#[test]
fn nobody_may_allow_what_is_no_service() {
    let everything = [net("0.0.0.0/0"), net("::/0")];
    for address in [
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ] {
        assert!(check(ip(address), &everything).is_err(), "{address}");
    }
    assert_eq!(check(ip("169.254.169.254"), &everything), Ok(()));
}

/// An address of one of these networks.
fn within(networks: Vec<IpNet>) -> impl Strategy<Value = IpAddr> {
    (prop::sample::select(networks), any::<u128>()).prop_map(|(network, random)| match network {
        IpNet::V4(v4) => {
            let host = u32::try_from(random & 0xffff_ffff).unwrap() & v4.hostmask().to_bits();
            Ipv4Addr::from(v4.network().to_bits() | host).into()
        }
        IpNet::V6(v6) => {
            Ipv6Addr::from(v6.network().to_bits() | random & v6.hostmask().to_bits()).into()
        }
    })
}

/// Everything that the standard library, too, knows not to be public.
fn is_plainly_private(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_documentation()
}

proptest! {
    #[test]
    fn every_address_of_a_special_network_is_refused(
        address in within([
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
            "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        ].map(net).to_vec()),
    ) {
        prop_assert!(check(address, &[]).is_err(), "{address}");
    }

    #[test]
    fn the_standard_library_finds_nothing_that_we_miss(bits: u32) {
        let address = Ipv4Addr::from(bits);
        if is_plainly_private(address) {
            prop_assert!(check(address.into(), &[]).is_err(), "{address}");
        }
    }

    /// However an IPv4 address is written, it is judged as itself.
    #[test]
    fn an_ipv4_address_has_no_disguise(bits: u32) {
        let plain = Ipv4Addr::from(bits);
        let nat64 = Ipv6Addr::from(NAT64.network().to_bits() | u128::from(bits));
        for disguised in [plain.to_ipv6_mapped(), nat64] {
            prop_assert_eq!(check(disguised.into(), &[]), check(plain.into(), &[]));
        }
    }

    #[test]
    fn a_network_that_is_allowed_opens_no_other(
        address in within(vec![net("0.0.0.0/0"), net("::/0")]),
    ) {
        let allowed = net("10.1.0.0/16");
        if !allowed.contains(&meant(address)) {
            prop_assert_eq!(check(address, &[allowed]), check(address, &[]));
        }
    }
}
