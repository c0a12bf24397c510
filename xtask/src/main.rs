//! `cargo demo` runs the router on the demo realm; `.cargo/config.toml` has the alias.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["demo"] => xtask::demo(),
        ["setup"] => xtask::set_up(),
        ["contract"] => xtask::write_contract(),
        ["release"] => xtask::release(),
        _ => {
            xtask::say(
                "cargo xtask demo    builds everything and runs a router on the demo realm\n\
                 cargo xtask setup   builds everything and installs what the tests need\n\
                 cargo xtask contract   writes docs/contract.md anew from wit/\n\
                 cargo xtask release   builds the router as it is to be deployed, with all methods",
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
