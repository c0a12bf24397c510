//! What a proxy says is read up to its end and no farther; and what a client writes in front of what
//! the proxy adds makes nobody of it but whom the proxy names.
#![no_main]

use std::{net::IpAddr, path::Path, sync::LazyLock};

use countersign_fuzz::{
    config::{Operator, Proxy},
    transport::{forwarded, proxy_header},
};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

/// With each kind of header.
static PROXIES: LazyLock<[(&str, &str, Proxy); 2]> = LazyLock::new(|| {
    [("forwarded", "for="), ("x-forwarded-for", "")].map(|(header, prefix)| {
        let text = format!(
            "[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.proxy]\nfrom = [\"10.0.0.0/8\"]\n\
             header = \"{header}\"\n"
        );
        let operator = Operator::parse(&text, Path::new("countersign.toml")).expect("a file");
        let listener = operator.listeners.into_iter().next().expect("a listener");
        (header, prefix, listener.proxy.expect("a proxy"))
    })
});

/// No proxy of ours.
const CLIENT: &str = "203.0.113.9";

fuzz_target!(|octets: &[u8]| {
    if let Ok((client, encrypted, rest)) = proxy_header(octets) {
        let (header, _) = octets.split_at(octets.len() - rest.len());
        let alone = proxy_header(header).expect("the header is whole");
        assert_eq!(alone, (client, encrypted, &[][..]));
    }
    let Ok(forged) = HeaderValue::from_bytes(octets) else {
        return;
    };
    for (name, prefix, proxy) in &*PROXIES {
        let added = HeaderValue::from_str(&format!("{prefix}{CLIENT}")).expect("a value");
        let one = [forged.as_bytes(), b", ", added.as_bytes()].concat();
        let one = HeaderValue::from_bytes(&one).expect("a value");
        let mut in_one = HeaderMap::new();
        in_one.append(*name, one);
        let mut in_two = HeaderMap::new();
        in_two.append(*name, forged.clone());
        in_two.append(*name, added);
        for headers in [in_one, in_two] {
            // None: nothing of it is believed.
            if let Some(client) = forwarded(&headers, proxy) {
                assert_eq!(
                    client,
                    CLIENT.parse::<IpAddr>().expect("an address"),
                    "{headers:?}"
                );
            }
        }
    }
});
