//! Where a request of the router's own may go.

use std::{
    fmt::{self, Display},
    net::IpAddr,
};

use ipnet::IpNet;
use url::{Host, Url};

use super::scalar::{Scalar, Written};

/// Scheme, host and port, as in `https://auth.example.com`. One spelling for each: the host is in
/// lower case, an address is in its usual form, a port is always there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    is_https: bool,
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// The origin of a URL. None where the URL is not `http` or `https`, has a user's name or a
    /// password in it, or a host that no name server and no certificate knows in this form.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        if let Host::Domain(name) = url.host()? {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            // A dot at the end would be a second spelling.
            if name.ends_with('.') || !name.chars().all(is_plain) {
                return None;
            }
        }
        Some(Self {
            is_https,
            host: url.host_str()?.into(),
            port: url.port_or_known_default()?,
        })
    }

    /// Whether what is said there stays between the two of us.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host, where it is an address and no name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.name().parse().ok()
    }

    /// The host, without the brackets that an IPv6 address has in a URL.
    #[must_use]
    pub fn name(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, be it said or the scheme's.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            is_https,
            host,
            port,
        } = self;
        let (scheme, default_port) = if *is_https {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{host}")?;
        if *port != default_port {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

impl Scalar for Origin {
    const FORM: &'static str = r#"an origin, such as "https://auth.example.com" or "http://127.0.0.1:9000", without a path and without wildcards"#;

    fn read(written: &Written<'_>) -> Option<Self> {
        let url = Url::parse(written.text()?).ok()?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        Self::of(&url).filter(|_| is_bare)
    }

    fn advice(written: &Written<'_>) -> String {
        let meant = written
            .text()
            .and_then(|text| Self::of(&Url::parse(text).ok()?));
        meant.map_or_else(
            || format!("it must be {}", Self::FORM),
            |meant| format!("an origin has no path: did you mean \"{meant}\"?"),
        )
    }
}

impl Scalar for IpNet {
    const FORM: &'static str =
        r#"a network, such as "10.1.0.0/16" or "fd00::/8", or an address, such as "127.0.0.1""#;

    fn read(written: &Written<'_>) -> Option<Self> {
        network(written.text()?).filter(|network| network.trunc() == *network)
    }

    fn advice(written: &Written<'_>) -> String {
        match written.text().and_then(network) {
            Some(network) => format!(
                "it has digits behind its first {} bits: did you mean \"{}\"?",
                network.prefix_len(),
                network.trunc()
            ),
            None => format!("it must be {}", Self::FORM),
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(text: &str) -> Option<String> {
        Origin::read(&Written::Text(text)).map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_has_one_spelling() {
        for (written, meant) in [
            ("https://auth.example.com", "https://auth.example.com"),
            ("https://Auth.Example.COM:443/", "https://auth.example.com"),
            ("HTTP://auth.example.com:80", "http://auth.example.com"),
            ("https://auth.example.com:80", "https://auth.example.com:80"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("http://[0:0:0:0:0:0:0:1]:9000", "http://[::1]:9000"),
            // What a name server would be asked for, and what some would take for an address.
            ("http://2130706433", "http://127.0.0.1"),
            ("http://0x7f.1", "http://127.0.0.1"),
        ] {
            assert_eq!(origin(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_none() {
        for wrong in [
            "",
            "auth.example.com",
            "//auth.example.com",
            "https://",
            "https://auth.example.com/login",
            "https://auth.example.com?x",
            "https://auth.example.com#x",
            "https://user@auth.example.com",
            "https://:secret@auth.example.com",
            "https://*.example.com",
            "https://auth.example.com.",
            "https://auth.example.com:99999",
            "https://auth example.com",
            "ftp://auth.example.com",
            "file:///etc/passwd",
            "unix:/run/auth.sock",
            "data:text/plain,x",
        ] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_is_known_as_one() {
        let address = |text: &str| Origin::read(&Written::Text(text)).unwrap().address();
        assert_eq!(
            address("http://[fd00::1]:8080"),
            Some("fd00::1".parse().unwrap())
        );
        assert_eq!(address("http://0x7f.1"), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(address("http://localhost"), None);
    }

    #[test]
    fn a_network_begins_where_it_says() {
        let read = |text| IpNet::read(&Written::Text(text)).map(|network| network.to_string());
        assert_eq!(read("10.1.0.0/16").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(read("127.0.0.1").as_deref(), Some("127.0.0.1/32"));
        assert_eq!(read("::1").as_deref(), Some("::1/128"));
        for wrong in ["10.1.2.3/16", "10.1/16", "localhost", "", "10.0.0.0/33"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(
            IpNet::advice(&Written::Text("10.1.2.3/16")),
            "it has digits behind its first 16 bits: did you mean \"10.1.0.0/16\"?"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(text in "https?://[a-z0-9.-]{1,20}(:[0-9]{1,5})?") {
            if let Some(once) = origin(&text) {
                let twice = origin(&once);
                prop_assert_eq!(twice, Some(once));
            }
        }
    }
}
