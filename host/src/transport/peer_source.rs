use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// Whose doings are counted together: an address; for IPv6 its /64, which is what one customer gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PeerSource {
    Address(IpAddr),
    /// What does not come over IP.
    Other(Box<str>),
}

impl PeerSource {
    /// From the words for a peer: `tcp:192.0.2.7:51334`, `unix:1000`.
    pub fn of(peer: &str) -> Self {
        let address = peer.strip_prefix("tcp:").unwrap_or(peer);
        let address = address
            .parse::<SocketAddr>()
            .map(|address| address.ip())
            .or_else(|_| address.parse::<IpAddr>());
        match address.map(|address| address.to_canonical()) {
            Ok(IpAddr::V6(address)) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Self::Address(IpAddr::V6(network.into()))
            }
            Ok(address) => Self::Address(address),
            Err(_) => Self::Other(peer.into()),
        }
    }
}

impl fmt::Display for PeerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Other(peer) => f.write_str(peer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_source_and_so_is_a_network_of_version_6() {
        for (peer, source) in [
            ("tcp:192.0.2.7:51334", "192.0.2.7"),
            ("192.0.2.7", "192.0.2.7"),
            ("tcp:[::ffff:192.0.2.7]:80", "192.0.2.7"),
            ("tcp:[2001:db8:1:2:3:4:5:6]:80", "2001:db8:1:2::"),
            ("tcp:[2001:db8:1:3::5]:80", "2001:db8:1:3::"),
            ("unix:1000", "unix:1000"),
        ] {
            assert_eq!(PeerSource::of(peer).to_string(), source);
        }
    }
}
