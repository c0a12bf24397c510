//! A method that misbehaves in whatever way its settings ask for.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    reason = "what a method should not do is what this one does"
)]

use std::{
    cell::RefCell,
    hint::black_box,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use countersign_guest::{
    Answer, Attempt, Challenge, Identity, Manifest, Method, Verdict,
    credentials::{self, Credential, Hash},
    logging,
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
    LoopInCheck,
    PanicInCheck,
    CallTheHost,
    AskTheTime,
    CheckPasswords,
    AskWithALongList,
    ReturnDeepJson,
    ForgeTheLog,
    LeaveALineOpen,
    AskForever,
    ExpectItsState,
    FailForMallory,
    Remember,
    KeepAHandle,
    KeepMemory,
}

/// What an instance that stays has of earlier calls.
static CALLS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static HANDLE: RefCell<Option<Credential>> = const { RefCell::new(None) };
    static MEMORY: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Method for Hostile {
    const MANIFEST: Manifest = Manifest {
        name: "hostile",
        version: "1",
        summary: "misbehaves",
        credential_kinds: &[],
    };

    fn check(&self) -> Result<(), String> {
        match self.does {
            Deed::LoopInCheck => loop {
                black_box(());
            },
            Deed::PanicInCheck => panic!("on purpose"),
            _ => Ok(()),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one of each")]
    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        match self.does {
            Deed::Behave | Deed::LoopInCheck | Deed::PanicInCheck => {}
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
            Deed::CallTheHost => loop {
                logging::log(logging::Level::Trace, "", "");
            },
            Deed::AskTheTime => loop {
                black_box(Instant::now());
            },
            Deed::CheckPasswords => {
                let credential = credentials::find("ticket", "alice");
                loop {
                    black_box(credential.verify_password("wonderland"));
                }
            }
            Deed::AskWithALongList => {
                let credential = credentials::find("ticket", "alice");
                black_box(credential.hmac(Hash::Sha256, &vec![0; 10_000_000]));
            }
            Deed::ReturnDeepJson => {
                let extra = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
                let state = Vec::new();
                return Ok(Challenge { extra, state }.into());
            }
            Deed::ForgeTheLog => {
                logging::log(
                    logging::Level::Info,
                    "",
                    "\u{1b}[2J\r\n{\"message\":\"logged in\"}\u{202e}",
                );
            }
            Deed::LeaveALineOpen => {
                print!("half of a line");
                std::io::Write::flush(&mut std::io::stdout()).map_err(|error| error.to_string())?;
            }
            Deed::AskForever | Deed::ExpectItsState => {
                return Ok(Challenge::default().with_state(b"its own".to_vec()).into());
            }
            Deed::FailForMallory => {
                assert!(attempt.authid.as_deref() != Some("mallory"), "on purpose");
            }
            Deed::Remember => {
                let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
                return Ok(Verdict::deny(format!("call {calls}")));
            }
            Deed::KeepAHandle => return Ok(keep_a_handle(attempt)),
            Deed::KeepMemory => {
                MEMORY.with_borrow_mut(|memory| memory.push(vec![1; 1 << 20]));
                let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
                return Ok(Verdict::deny(format!("call {calls}")));
            }
        }
        Ok(Verdict::accept("alice", "user"))
    }

    fn resume(&self, _attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        match self.does {
            Deed::AskForever => return Ok(Challenge::default().into()),
            Deed::ExpectItsState => assert_eq!(answer.state, b"its own"),
            _ => {}
        }
        Ok(Verdict::accept("alice", "user"))
    }
}

/// Says whose credential an earlier call's handle is, if there was one.
fn keep_a_handle(attempt: &Attempt) -> Verdict {
    let whose = HANDLE.with_borrow(|kept| kept.as_ref().map(Credential::authid));
    if let Some(whose) = whose {
        return Verdict::deny(format!("the handle is to {whose}"));
    }
    let authid = attempt.authid.as_deref().unwrap_or_default();
    let credential = credentials::find("ticket", authid);
    HANDLE.set(Some(credential));
    Verdict::deny("kept")
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
