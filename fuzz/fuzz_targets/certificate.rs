//! A certificate has names of known kinds that show whole in a log, or it cannot be read.
#![no_main]

use countersign_fuzz::tls::Certificate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    let Ok(certificate) = Certificate::read(der) else {
        return;
    };
    for name in &certificate.names {
        let (kind, name) = name.split_once(':').expect("a kind and a name");
        assert!(["dns", "email", "uri"].contains(&kind));
        assert!(name.chars().all(|c| c.is_ascii_graphic()), "{name:?}");
    }
});
