//! The table of each method that comes with the router, and what every method must stand.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use countersign::{
    config::TestTable,
    method::{Runtime, Source},
    trial::{self, Check, Tried},
};
use countersign_tests::Component;

const METHODS: [&str; 13] = [
    "anonymous",
    "cookie",
    "cryptosign",
    "http",
    "jwt",
    "peer",
    "procedure",
    "scram",
    "ticket",
    "tls",
    "totp",
    "wampcra",
    "webauthn",
];

/// Those that work with credentials.
const WITH_CREDENTIALS: [&str; 6] = [
    "cryptosign",
    "scram",
    "ticket",
    "totp",
    "wampcra",
    "webauthn",
];

fn runtime() -> &'static Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> =
        LazyLock::new(|| Arc::new(Runtime::metered().expect("an engine")));
    &RUNTIME
}

fn table(file: &str) -> TestTable {
    let path: PathBuf = xtask::root().join(file);
    TestTable::read(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn of_method(name: &str) -> (Source, TestTable) {
    let octets = Component::method(name).octets().to_vec();
    (
        octets.into(),
        table(&format!("plugins/{name}/{name}.table.toml")),
    )
}

fn riddle() -> (Source, TestTable) {
    let octets = Component::example("riddle").octets().to_vec();
    (octets.into(), table("examples/riddle/riddle.table.toml"))
}

async fn assert_passes(name: &str, (source, table): (Source, TestTable)) {
    let tried = Tried::table(runtime(), source, &table)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let differences: Vec<String> = tried
        .outcomes
        .iter()
        .flat_map(|outcome| {
            let name = &outcome.name;
            outcome
                .differences
                .iter()
                .map(move |difference| format!("{name}: {difference}"))
        })
        .collect();
    assert!(differences.is_empty(), "{name}: {differences:#?}");
}

#[tokio::test]
async fn each_method_passes_its_table() {
    for name in METHODS {
        assert_passes(name, of_method(name)).await;
    }
    assert_passes("riddle", riddle()).await;
}

#[tokio::test]
async fn each_method_conforms() {
    let all = METHODS.map(|name| (name, of_method(name)));
    for (name, (source, table)) in all.into_iter().chain([("riddle", riddle())]) {
        let conformance = trial::conform(runtime(), source, Some(&table))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(conformance.passed(), "{name}: {:#?}", conformance.findings);
    }
}

/// Unknown, wrong, disabled and locked: the same calls of the host, and fuel that differs by a
/// thousandth at most.
#[tokio::test]
async fn t02_the_work_is_the_same_for_who_exists_and_who_does_not() {
    for name in WITH_CREDENTIALS {
        let (source, table) = of_method(name);
        let conformance = trial::conform(runtime(), source, Some(&table))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: Vec<_> = conformance.of(Check::Enumeration).collect();
        assert!(found.is_empty(), "{name}: {found:#?}");
        assert!(
            conformance.looks(Check::Enumeration) >= 5,
            "{name}: there was nothing to compare"
        );
    }
}
