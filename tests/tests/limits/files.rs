//! Components that are hostile before anybody logs in.

use std::fs::File;

use countersign::{login::Verdict, method::LoadError};
use countersign_tests::{Client, Component, Deployment};

use crate::house::{House, ask};

/// A module whose start function grows a table as long as it is let:
/// `(table 1 funcref) (func (loop (drop (table.grow 0 (ref.null func) (i32.const 100000))) (br 0)))`.
const TABLE_BOMB: &[u8] = &[
    0, b'a', b's', b'm', 1, 0, 0, 0, // a module
    1, 4, 1, 0x60, 0, 0, // a type without parameters and results
    3, 2, 1, 0, // a function of it
    4, 4, 1, 0x70, 0, 1, // a table with one place, and no maximum
    8, 1, 0, // the function is called at the start
    10, 0x13, 1, 0x11, 0, 3, 0x40, 0xd0, 0x70, 0x41, 0xa0, 0x8d, 6, 0xfc, 15, 0, 0x1a, 12, 0, 11,
    11,
];

/// A module whose start function never ends: `(func (loop (br 0)))`.
const LOOP: &[u8] = &[
    0, b'a', b's', b'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 8, 1, 0, //
    10, 9, 1, 7, 0, 3, 0x40, 12, 0, 11, 11,
];

/// A module that wants 256 MiB of memory before it does anything: `(memory 4096)`.
const MEMORY_BOMB: &[u8] = &[0, b'a', b's', b'm', 1, 0, 0, 0, 5, 4, 1, 0, 0x80, 0x20];

/// A module with five memories, of which a component may have four.
const MANY_MEMORIES: &[u8] = &[
    0, b'a', b's', b'm', 1, 0, 0, 0, 5, 11, 5, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
];

/// A component may do something as soon as there is an instance of it.
#[tokio::test]
async fn t17_what_bombs_when_it_is_instantiated_is_not_loaded() {
    let house = House::with_hostile_method().await;
    let hostile = Component::guest("hostile");
    for (module, label) in [
        (LOOP, "time"),
        (TABLE_BOMB, "memory"),
        (MEMORY_BOMB, "memory"),
    ] {
        let component = hostile.with_module(module);
        match house.load(component.octets()).await {
            Err(LoadError::Describe(fault)) => assert_eq!(fault.label(), label, "{fault}"),
            other => panic!("{label}: {other:?}"),
        }
    }
    let component = hostile.with_module(MANY_MEMORIES);
    let refused = house.load(component.octets()).await;
    assert!(
        matches!(
            refused,
            Err(LoadError::Invalid(_) | LoadError::WrongWorld(_))
        ),
        "{refused:?}"
    );
    assert!(
        house.load(hostile.octets()).await.is_ok(),
        "by itself it is good"
    );
}

/// A component that was built for another version of the contract.
#[tokio::test]
async fn another_version_of_the_contract() {
    let house = House::with_hostile_method().await;
    let component = Component::guest("hostile").with_all(
        b"countersign:auth/method@0.1.0",
        b"countersign:auth/method@9.1.0",
    );
    let refused = house.load(component.octets()).await;
    assert!(
        matches!(refused, Err(LoadError::OtherContract { .. })),
        "{refused:?}"
    );
}

/// Whatever the octets are, there is an answer.
#[tokio::test]
async fn t28_any_octets_are_refused_or_loaded_and_never_the_routers_end() {
    let house = House::with_hostile_method().await;
    let whole = Component::guest("hostile");
    let octets = whole.octets();
    let cut = (0..32).map(|part| octets[..octets.len() * part / 32].to_vec());
    let flipped = (1..32).map(|part| {
        let mut octets = octets.to_vec();
        let place = octets.len() * part / 32;
        octets[place] ^= 1 << (part % 8);
        octets
    });
    let elf = [&b"\x7fELF\x02\x01\x01"[..], &[0; 4096]].concat();
    for octets in cut.chain(flipped).chain([elf]) {
        _ = house.load(octets).await;
    }
    assert!(house.load(octets).await.is_ok());
}

const REALM: &str = "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n";

/// R11: a file that is too large is not even read to its end. Its realm stays out, and others serve.
#[tokio::test]
async fn r11_a_component_of_80_mb_is_not_read() {
    let deployment = Deployment::bare();
    deployment.component("anonymous", &Component::method("anonymous"));
    deployment.realm("good", REALM);
    let huge = "[method.anonymous]\ncomponent = \"huge.wasm\"\n";
    deployment.realm("bad", &format!("{REALM}{huge}"));
    // It takes no room on the disk.
    let file = File::create(deployment.path("methods/huge.wasm")).unwrap();
    file.set_len(80_000_000).unwrap();
    let router = deployment.start().await;
    router.log.mention("the file is larger than 64 MiB").await;
    Client::join(&router, "good").await;
}

/// A module whose functions take long to compile.
fn compile_bomb() -> Vec<u8> {
    const FUNCTIONS: usize = 20;
    let mut body = vec![0];
    for number in 0..5_000_usize {
        // local.get 0, i32.const number, i32.mul, local.get 0, i32.xor, local.set 0
        body.extend([0x20, 0, 0x41]);
        let number = u8::try_from(number % 64).expect("it is less");
        body.extend([number, 0x6c, 0x20, 0, 0x73, 0x21, 0]);
    }
    body.push(11);
    let mut code = leb(FUNCTIONS);
    for _ in 0..FUNCTIONS {
        code.extend(leb(body.len()));
        code.extend(&body);
    }
    let mut module = b"\0asm\x01\0\0\0\x01\x05\x01\x60\x01\x7f\0".to_vec();
    let mut functions = leb(FUNCTIONS);
    functions.extend([0; FUNCTIONS]);
    for (section, contents) in [(3, functions), (10, code)] {
        module.push(section);
        module.extend(leb(contents.len()));
        module.extend(contents);
    }
    module
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    while number >= 0x80 {
        octets.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    octets.push(u8::try_from(number).expect("seven bits"));
    octets
}

/// Compiling goes on beside the threads that serve: on the one that there is here, logins come to
/// their end meanwhile.
#[tokio::test(flavor = "current_thread")]
async fn t17_others_log_in_while_a_bomb_is_compiled() {
    let house = House::with_hostile_method().await;
    let good = house.method("behave").await;
    let bomb = Component::guest("hostile").with_module(&compile_bomb());
    let compiled = house.load(bomb.octets());
    tokio::pin!(compiled);
    let mut logins = 0;
    let loaded = loop {
        tokio::select! {
            biased;
            loaded = &mut compiled => break loaded,
            verdict = ask(&good) => {
                assert!(matches!(verdict, Ok(Verdict::Accept(_))));
                logins += 1;
            }
        }
    };
    assert!(loaded.is_ok(), "it is large, and good");
    assert!(logins >= 3, "{logins}");
}
