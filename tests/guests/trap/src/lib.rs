//! A component that traps when it is asked who it is.

#[cfg(target_family = "wasm")]
mod component {
    use countersign_guest::{
        Answer, Attempt, Verdict,
        bindings::{
            self,
            exports::countersign::auth::{about, method},
        },
    };

    struct Trap;

    impl about::Guest for Trap {
        fn describe() -> about::Manifest {
            panic!("I am nobody")
        }

        fn check(_settings: String) -> Result<(), String> {
            Ok(())
        }
    }

    impl method::Guest for Trap {
        fn begin(_attempt: Attempt) -> Result<Verdict, String> {
            Ok(Verdict::NotMine)
        }

        fn resume(_attempt: Attempt, _answer: Answer) -> Result<Verdict, String> {
            Ok(Verdict::NotMine)
        }
    }

    bindings::export!(Trap with_types_in bindings);
}
