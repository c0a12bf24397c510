//! A method that misbehaves in whatever way its settings ask for.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    reason = "what a method should not do is what this one does"
)]

use std::{hint::black_box, process, thread, time::Duration};

use countersign_guest::{
    Answer, Attempt, Challenge, Identity, Manifest, Method, Verdict, credentials, logging,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Hostile {
    does: Deed,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Behave,
    Loop,
    LoopOverHostCalls,
    Sleep,
    EatMemory,
    Recurse,
    Panic,
    Exit,
    ReturnTooMuch,
    ReturnTooMuchState,
    ReturnNoJson,
    ReturnNobody,
    ReturnControlCharacters,
    AskTooMuchOfTheHost,
    LeakHandles,
    FloodTheLog,
    PrintForever,
    PrintOneLongLine,
    FailToDecide,
    Regret,
}

impl Method for Hostile {
    const MANIFEST: Manifest = Manifest {
        name: "hostile",
        version: "1",
        summary: "misbehaves",
        credential_kinds: &[],
    };

    fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
        match self.does {
            Deed::Behave => {}
            Deed::Loop => loop {
                black_box(());
            },
            Deed::LoopOverHostCalls => loop {
                black_box(credentials::find("ticket", "alice"));
            },
            Deed::Sleep => thread::sleep(Duration::from_hours(1)),
            Deed::EatMemory => {
                let mut all = Vec::new();
                loop {
                    all.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            Deed::Recurse => _ = recurse(0),
            Deed::Panic => panic!("on purpose"),
            Deed::Exit => process::exit(0),
            Deed::ReturnTooMuch => return Ok(Verdict::deny("x".repeat(16 << 20))),
            Deed::ReturnTooMuchState => {
                return Ok(Challenge::default().with_state(vec![0; 5000]).into());
            }
            Deed::ReturnNoJson => {
                return Ok(Challenge {
                    extra: "[1]".into(),
                    state: Vec::new(),
                }
                .into());
            }
            Deed::ReturnNobody => return Ok(Identity::new("", "user").into()),
            Deed::ReturnControlCharacters => {
                return Ok(Identity::new("alice\u{1b}[2J", "user").into());
            }
            Deed::AskTooMuchOfTheHost => {
                _ = credentials::find(&"k".repeat(16 << 20), "alice");
            }
            Deed::LeakHandles => {
                let mut all = Vec::new();
                loop {
                    all.push(credentials::find("ticket", "alice"));
                }
            }
            Deed::FloodTheLog => loop {
                logging::log(logging::Level::Info, "", "again");
            },
            Deed::PrintForever => loop {
                println!("again");
            },
            Deed::PrintOneLongLine => print!("{}", "x".repeat(1 << 20)),
            Deed::FailToDecide => return Err("the moon is in the wrong quarter".into()),
            Deed::Regret => {
                let _regret = Regret;
                return Ok(Verdict::accept("alice", "user"));
            }
        }
        Ok(Verdict::accept("alice", "user"))
    }

    fn resume(&self, _attempt: &Attempt, _answer: &Answer) -> Result<Verdict, String> {
        Ok(Verdict::accept("alice", "user"))
    }
}

/// Traps when the verdict is made already and the function ends.
struct Regret;

impl Drop for Regret {
    fn drop(&mut self) {
        panic!("on second thoughts, no");
    }
}

/// Uses the stack up.
fn recurse(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX {
        0
    } else {
        recurse(depth + 1) + black_box(1)
    }
}

countersign_guest::export!(Hostile);
