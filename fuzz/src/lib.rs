//! What reads octets of strangers, without the engine: files of the router and of its methods, compiled
//! here once more, and a way in to each for the targets.

#![allow(dead_code, unused_imports)]

pub use countersign_wamp as wamp;

pub use host::{config, login, transport};
use webauthn::cbor;

#[path = "../../host/src"]
mod host {
    pub mod config;
    pub mod login;

    pub mod transport {
        mod page;
        mod proxy;
        mod request;

        pub mod rawsocket {
            pub mod codec;
            pub mod handshake;
        }

        use std::net::IpAddr;

        use bytes::BytesMut;
        use futures_util::FutureExt;
        use http::HeaderMap;

        pub use proxy::ProxyError;

        use super::config::Proxy;

        /// Who a PROXY header says that the client is, and whether it came encrypted; and what
        /// comes behind the header.
        pub fn proxy_header(
            mut octets: &[u8],
        ) -> Result<(Option<IpAddr>, bool, &[u8]), ProxyError> {
            let told = proxy::read_header(&mut octets).now_or_never();
            let told = told.expect("what is in memory is there")?;
            let client = told.client.map(|client| client.address);
            Ok((client, told.encrypted, octets))
        }

        /// Who the headers of a request say that the client is.
        pub fn forwarded(headers: &HeaderMap, proxy: &Proxy) -> Option<IpAddr> {
            let told = proxy::from_headers(headers, proxy)?;
            told.client.map(|client| client.address)
        }

        /// What the head of a request is, whose first octets have come before the others; with the
        /// headers of one that wants a WebSocket, and what is behind it.
        pub fn head(early: &[u8], mut late: &[u8]) -> (&'static str, Option<(HeaderMap, Vec<u8>)>) {
            let mut buffer = BytesMut::from(early);
            let asked = request::read(&mut late, &mut buffer).now_or_never();
            match asked.expect("what is in memory is there") {
                Ok(request::Asked::WebSocket(request)) => {
                    buffer.extend_from_slice(late);
                    (
                        "WebSocket",
                        Some((request.headers().clone(), buffer.to_vec())),
                    )
                }
                Ok(request::Asked::Other) => ("other", None),
                Ok(request::Asked::Nonsense) => ("nonsense", None),
                Err(_) => ("incomplete", None),
            }
        }

        /// The values of a browser's cookies of this name, where its page is one of those whose
        /// cookies are looked at.
        pub fn cookies(
            headers: &HeaderMap,
            proxied: &super::config::Listener,
            name: &str,
        ) -> Vec<String> {
            let origins: Vec<_> = proxied.origins.iter().flatten().cloned().collect();
            let page = page::Page::of(headers, Some(&origins), true);
            let cookies = page.map(|page| page.cookies).unwrap_or_default();
            cookies.named(name).map(str::to_owned).collect()
        }
    }
}

#[path = "../../plugins/webauthn/src"]
pub mod webauthn {
    mod authenticator;
    pub(crate) mod cbor;
    mod cose;
    mod response;

    use response::{ClientData, Created, Got, PublicKeyCredential};

    /// What a browser answers, as far as it is read before anything is known of the passkey.
    pub fn answer(text: &str) {
        if let Ok(created) = PublicKeyCredential::<Created>::parse(text) {
            _ = ClientData::parse(&created.response.client_data.0);
            attestation(&created.response.attestation_object.0);
        }
        if let Ok(got) = PublicKeyCredential::<Got>::parse(text) {
            _ = ClientData::parse(&got.response.client_data.0);
            _ = authenticator::AuthenticatorData::parse(&got.response.authenticator_data.0);
        }
    }

    /// A new passkey. What is kept of it can be read again, and checks signatures.
    pub fn attestation(octets: &[u8]) {
        let Ok(data) = authenticator::attested_data(octets) else {
            return;
        };
        let Ok(data) = authenticator::AuthenticatorData::parse(data) else {
            return;
        };
        if let Some(attested) = data.attested {
            key(attested.public_key, attested.id);
        }
    }

    /// A public key, which a signature that is none does not fit.
    pub fn key(octets: &[u8], signature: &[u8]) {
        if let Ok(key) = cose::PublicKey::parse(octets) {
            assert!(key.verify(b"a message", signature).is_err());
        }
    }
}

#[path = "../../plugins/tls/src"]
pub mod tls {
    mod certificate;

    pub use certificate::Certificate;
}
