use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};

use super::*;

/// What is behind a header must be there when the header has been read.
const BEHIND: &[u8] = b"GET /ws HTTP/1.1\r\n";

/// Reads a header, and what it leaves.
fn read(header: &[u8]) -> (Result<Told, ProxyError>, Vec<u8>) {
    let octets = [header, BEHIND].concat();
    let mut stream = &octets[..];
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let told = read_header(&mut stream).await;
        let mut left = Vec::new();
        stream.read_to_end(&mut left).await.unwrap();
        (told, left)
    })
}

fn client(address: &str, port: Option<u16>) -> Client {
    let address = address.parse().unwrap();
    Client { address, port }
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, family]);
    header.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    header.extend(rest);
    header
}

#[test]
fn version_1() {
    for (header, expected) in [
        (
            "PROXY TCP4 192.0.2.7 10.0.0.1 51334 443\r\n",
            Some(client("192.0.2.7", Some(51334))),
        ),
        (
            "PROXY TCP6 2001:db8::7 2001:db8::1 51334 443\r\n",
            Some(client("2001:db8::7", Some(51334))),
        ),
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN ffff:: ffff:: 1 1\r\n", None),
    ] {
        let (told, left) = read(header.as_bytes());
        let told = told.unwrap();
        assert_eq!(told.client, expected, "{header}");
        assert!(!told.encrypted);
        assert_eq!(left, BEHIND, "{header}");
    }
}

#[test]
fn version_2_of_both_families_and_with_tls() {
    let ipv4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xc8, 0x86, 1, 0xbb];
    let (told, left) = read(&version_2(1, 0x11, &ipv4));
    let told = told.unwrap();
    assert_eq!(told.client, Some(client("192.0.2.7", Some(51334))));
    assert!(!told.encrypted);
    assert_eq!(left, BEHIND);

    // Type 0x20, five octets: the client's flags, and what became of its certificate.
    for (flags, encrypted) in [(1, true), (0, false)] {
        let with_ssl = [&ipv4[..], &[0x20, 0, 5, flags, 0, 0, 0, 0]].concat();
        let (told, left) = read(&version_2(1, 0x11, &with_ssl));
        assert_eq!(told.unwrap().encrypted, encrypted);
        assert_eq!(left, BEHIND);
    }

    let mut ipv6 = [0; 36];
    ipv6[0] = 0x20;
    ipv6[15] = 7;
    ipv6[33] = 80;
    let (told, _) = read(&version_2(1, 0x21, &ipv6));
    assert_eq!(told.unwrap().client, Some(client("2000::7", Some(80))));

    let (told, left) = read(&version_2(0, 0, &[]));
    assert_eq!(told.unwrap().client, None, "the proxy's own");
    assert_eq!(left, BEHIND);
}

#[test]
fn what_is_no_header_is_refused() {
    for octets in [
        b"GET /ws HTTP/1.1\r\n\r\n".to_vec(),
        b"PROXY TCP4 nonsense\r\n".to_vec(),
        [b"PROXY TCP4 ".to_vec(), vec![b'1'; 4096]].concat(),
        version_2(1, 0x11, &[0; 4]),
        version_2(1, 0x11, &vec![0; 60_000]),
        b"\r\n\r\n\0\r\nQUIT\n\xff\xff\xff\xff".to_vec(),
    ] {
        let (told, _) = read(&octets);
        let shown = String::from_utf8_lossy(&octets[..octets.len().min(40)]).into_owned();
        assert!(told.is_err(), "{shown:?}");
    }
}

fn proxy(header: ProxyHeader) -> Proxy {
    Proxy {
        from: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
        header,
    }
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect()
}

#[test]
fn forwarded_is_read_from_the_right() {
    for (value, expected, encrypted) in [
        (
            "for=192.0.2.7;proto=https",
            Some(client("192.0.2.7", None)),
            true,
        ),
        ("for=192.0.2.7", Some(client("192.0.2.7", None)), false),
        (
            r#"for="[2001:db8::7]:4711";proto=wss"#,
            Some(client("2001:db8::7", Some(4711))),
            true,
        ),
        // The first was written by the client itself.
        (
            "for=127.0.0.1;proto=https, for=192.0.2.7;proto=http",
            Some(client("192.0.2.7", None)),
            false,
        ),
        // A second proxy of ours behind the first.
        (
            "for=1.1.1.1, for=192.0.2.7;proto=https, for=10.0.0.9;proto=http",
            Some(client("192.0.2.7", None)),
            true,
        ),
        ("for=unknown", None, false),
        ("for=_hidden", None, false),
    ] {
        let headers = headers(&[("forwarded", value)]);
        let told = from_headers(&headers, &proxy(ProxyHeader::Forwarded)).unwrap();
        assert_eq!(
            (told.client, told.encrypted),
            (expected, encrypted),
            "{value}"
        );
    }
}

#[test]
fn x_forwarded_for_is_read_from_the_right() {
    for (addresses, expected) in [
        ("192.0.2.7", Some(client("192.0.2.7", None))),
        ("127.0.0.1, 192.0.2.7", Some(client("192.0.2.7", None))),
        (
            "1.1.1.1, 192.0.2.7, 10.0.0.9",
            Some(client("192.0.2.7", None)),
        ),
        ("2001:db8::7", Some(client("2001:db8::7", None))),
        ("[2001:db8::7]:80", Some(client("2001:db8::7", Some(80)))),
        ("192.0.2.7:80", Some(client("192.0.2.7", Some(80)))),
        ("127.0.0.1, nonsense", None),
    ] {
        let headers = headers(&[
            ("x-forwarded-for", addresses),
            ("x-forwarded-proto", "http, https"),
        ]);
        let told = from_headers(&headers, &proxy(ProxyHeader::XForwardedFor)).unwrap();
        assert_eq!(
            (told.client, told.encrypted),
            (expected, true),
            "{addresses}"
        );
    }
}

#[test]
fn only_the_named_header_is_read() {
    let both = headers(&[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]);
    let told = |header| from_headers(&both, &proxy(header)).and_then(|told| told.client);
    assert_eq!(told(ProxyHeader::Forwarded), Some(client("1.1.1.1", None)));
    assert_eq!(
        told(ProxyHeader::XForwardedFor),
        Some(client("2.2.2.2", None))
    );
    assert_eq!(told(ProxyHeader::ProxyProtocol), None);
    let none = HeaderMap::new();
    assert_eq!(from_headers(&none, &proxy(ProxyHeader::Forwarded)), None);
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        _ = read(&octets);
    }

    #[test]
    fn any_octets_after_a_signature(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        _ = read(&[&b"\r\n\r\n\0\r\nQUIT\n"[..], &octets].concat());
        _ = read(&[&b"PROXY "[..], &octets].concat());
    }

    #[test]
    fn any_header_text(text in "[ -~]{0,80}") {
        let headers = headers(&[("forwarded", &text), ("x-forwarded-for", &text)]);
        for header in [ProxyHeader::Forwarded, ProxyHeader::XForwardedFor] {
            _ = from_headers(&headers, &proxy(header));
        }
    }
}
