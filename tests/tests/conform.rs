//! Each check of `countersign method conform` catches a method that is bad in that one way.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use countersign::{
    config::TestTable,
    method::Runtime,
    trial::{self, Check, Conformance, Severity},
};
use countersign_tests::Component;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What the first challenge of an attempt carries.
const NONCE: [u8; 32] = [1; 32];

fn runtime() -> &'static Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> =
        LazyLock::new(|| Arc::new(Runtime::metered().expect("an engine")));
    &RUNTIME
}

fn signature(message: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(b"wonderland").expect("any key");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// The conformance of a method that is careless in this way, and takes this answer of Alice's.
async fn careless(does: &str, answer: &str) -> Conformance {
    let table = format!(
        r#"
settings = {{ does = "{does}" }}
[[credential]]
kind = "wampcra"
authid = "alice"
role = "user"
secret = "wonderland"
[[attempt]]
name = "the right answer"
authid = "alice"
verdict = "accept"
[[attempt.round]]
answer = "{answer}"
"#
    );
    let table = TestTable::parse(&table, Path::new("careless.table.toml")).expect("a table");
    let component = Component::guest("careless").octets().to_vec();
    trial::conform(runtime(), component.into(), Some(&table))
        .await
        .expect("it can be asked")
}

#[tokio::test]
async fn a_good_method_conforms_and_each_check_has_looked() {
    let conformance = careless("behave", &signature(&NONCE)).await;
    assert_eq!(conformance.findings, []);
    for check in Check::ALL {
        assert!(conformance.looks(check) > 0, "{check} has not looked");
    }
}

#[tokio::test]
async fn each_check_catches_who_is_careless_in_its_way() {
    let right = signature(&NONCE);
    for (does, answer, check) in [
        ("deny-everyone", &*right, Check::Table),
        ("never-answer", &right, Check::Input),
        ("use-randomness-of-its-own", &right, Check::Determinism),
        ("choose-the-challenge", &right, Check::Nonce),
        (
            "forget-the-nonce",
            &signature(b"always the same"),
            Check::Replay,
        ),
        ("ignore-the-credentials", "open sesame", Check::Realm),
        ("turn-strangers-away", &right, Check::Enumeration),
        ("work-harder-for-alice", &right, Check::Enumeration),
        ("ask-more-for-alice", &right, Check::Enumeration),
        ("trust-authextra", &right, Check::Input),
        ("trust-the-answer", &right, Check::Input),
        ("accept-anything", &right, Check::Input),
        ("trust-the-state", &right, Check::State),
        ("believe-the-step-before", &right, Check::Proven),
        ("ask-for-ever", &right, Check::Rounds),
    ] {
        let conformance = careless(does, answer).await;
        assert!(!conformance.passed(), "{does} conforms");
        let found = conformance
            .of(check)
            .any(|it| it.severity == Severity::Failure);
        assert!(found, "{does}: {:#?}", conformance.findings);
    }
}

#[tokio::test]
async fn what_need_not_be_a_secret_is_a_warning_when_it_is_repeated() {
    let conformance = careless("repeat-the-answer", &signature(&NONCE)).await;
    assert!(conformance.passed(), "{:#?}", conformance.findings);
    assert_eq!(conformance.of(Check::Secrets).count(), 1);
}

/// It comes without a table.
#[tokio::test]
async fn a_component_that_cannot_describe_itself_nor_check_settings_nor_keep_a_secret() {
    let component = Component::guest("fickle").octets().to_vec();
    let conformance = trial::conform(runtime(), component.into(), None)
        .await
        .expect("it can be asked");
    for check in [Check::Describe, Check::Settings, Check::Secrets] {
        let found = conformance
            .of(check)
            .any(|it| it.severity == Severity::Failure);
        assert!(found, "{check}: {:#?}", conformance.findings);
    }
}
