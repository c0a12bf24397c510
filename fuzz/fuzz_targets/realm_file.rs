//! A tenant's file is a realm, or what is wrong with it is said, at places that are there.
#![no_main]

use std::path::Path;

use countersign_fuzz::config::{Ceilings, ConfigError, Realm};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Err(error) = Realm::parse(text, Path::new("realms/acme.toml"), &Ceilings::default()) else {
        return;
    };
    let ConfigError::Wrong { problems, .. } = error else {
        panic!("{error}");
    };
    assert!(!problems.is_empty());
    for problem in problems {
        // What ends too soon is wrong behind its last line.
        let line = text.split('\n').nth(problem.line - 1).expect("a line");
        assert!(
            (1..=line.chars().count() + 1).contains(&problem.column),
            "{problem}"
        );
        assert!(
            !problem.message.contains(['\n', '\r', '\u{1b}']),
            "{problem:?}"
        );
    }
});
