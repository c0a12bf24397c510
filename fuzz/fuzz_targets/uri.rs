//! A text is a URI or it is none; a URI is found by each pattern that is made of it.
#![no_main]

use countersign_wamp::{MatchPolicy, Pattern, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for policy in [
        MatchPolicy::Exact,
        MatchPolicy::Prefix,
        MatchPolicy::Wildcard,
    ] {
        let pattern = Pattern::parse(text, policy);
        if let (Ok(uri), Ok(pattern)) = (Uri::parse(text), pattern) {
            assert!(pattern.matches(uri.as_str()), "{text:?} by {policy:?}");
        }
    }
});
