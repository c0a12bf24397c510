//! A component that describes itself anew each time, takes settings for what they should be, and tells
//! the operator what its clients' passwords are not.

#[cfg(target_family = "wasm")]
mod component {
    use std::{
        collections::hash_map::RandomState,
        hash::{BuildHasher, Hasher},
    };

    use countersign_guest::{
        Answer, Attempt, Challenge, Verdict,
        bindings::{
            self,
            exports::countersign::auth::{about, method},
        },
    };

    struct Fickle;

    impl about::Guest for Fickle {
        fn describe() -> about::Manifest {
            about::Manifest {
                name: "fickle".into(),
                version: RandomState::new().build_hasher().finish().to_string(),
                summary: "is another one each time".into(),
                credential_kinds: Vec::new(),
                extra: r#"{"clear-secret":true}"#.into(),
            }
        }

        fn check(settings: String) -> Result<(), String> {
            assert_eq!(settings, "{}", "I have no settings");
            Ok(())
        }
    }

    impl method::Guest for Fickle {
        fn begin(_attempt: Attempt) -> Result<Verdict, String> {
            Ok(Challenge::default().into())
        }

        fn resume(_attempt: Attempt, answer: Answer) -> Result<Verdict, String> {
            Ok(Verdict::Deny(format!("{} is wrong", answer.signature)))
        }
    }

    bindings::export!(Fickle with_types_in bindings);
}
