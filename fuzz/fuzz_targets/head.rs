//! The head of a request is the same however its octets come in pieces, and nothing of what follows it
//! is lost.
#![no_main]

use std::{path::Path, sync::LazyLock};

use countersign_fuzz::{
    config::{Listener, Operator},
    transport::{cookies, head},
};
use libfuzzer_sys::fuzz_target;

static LISTENER: LazyLock<Listener> = LazyLock::new(|| {
    let text = "[[listener]]\naddress = \"127.0.0.1:1\"\norigins = [\"https://a.example\"]\n";
    let operator = Operator::parse(text, Path::new("countersign.toml")).expect("a file");
    operator.listeners.into_iter().next().expect("a listener")
});

/// Longer heads are refused, and how much comes at once decides about how much longer.
const LARGEST_HEAD: usize = 16 << 10;

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, octets) = input;
    if octets.len() >= LARGEST_HEAD {
        return;
    }
    let whole = head(octets, &[]);
    let (early, late) = octets.split_at(cut % (octets.len() + 1));
    assert_eq!(head(early, late), whole, "cut at {}", early.len());
    if let (_, Some((headers, rest))) = whole {
        assert!(octets.ends_with(&rest));
        for value in cookies(&headers, &LISTENER, "__Host-a") {
            assert!(!value.contains(';'));
        }
    }
});
