//! The table of each method that comes with the router, and what every method must stand.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use countersign::{
    config::TestTable,
    method::{Runtime, Source},
    trial::{self, Check, Conformance, Tried},
};
use countersign_tests::Component;
use tokio::sync::Mutex;

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

/// What a method's component has come to, once for all tests here.
async fn conformance(name: &str) -> Arc<Conformance> {
    type Known = BTreeMap<String, Arc<Conformance>>;
    static KNOWN: Mutex<Known> = Mutex::const_new(BTreeMap::new());
    let mut known = KNOWN.lock().await;
    if let Some(conformance) = known.get(name) {
        return Arc::clone(conformance);
    }
    let (source, table) = match name {
        "riddle" => riddle(),
        method => of_method(method),
    };
    let conformance = trial::conform(runtime(), source, Some(&table))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let conformance = Arc::new(conformance);
    known.insert(name.to_owned(), Arc::clone(&conformance));
    conformance
}

#[tokio::test]
async fn each_method_conforms() {
    for name in METHODS.into_iter().chain(["riddle"]) {
        let conformance = conformance(name).await;
        assert!(conformance.passed(), "{name}: {:#?}", conformance.findings);
    }
}

/// As docs/configuration.md has it: these are not asked where others could read along.
#[tokio::test]
async fn whose_clients_send_their_secret_in_clear_says_so() {
    for name in METHODS.into_iter().chain(["riddle"]) {
        let sends = ["http", "jwt", "procedure", "riddle", "ticket"].contains(&name);
        let manifest = &conformance(name).await.revision.manifest;
        assert_eq!(manifest.clear_secret, sends, "{name}");
    }
}

#[tokio::test]
async fn a_fault_is_told_by_its_name() {
    for (does, fault) in [
        ("loop", "time"),
        ("sleep", "wall"),
        ("eat-memory", "memory"),
        ("return-too-much", "output"),
        ("flood-the-log", "log"),
        ("leak-handles", "handles"),
        ("return-too-much-state", "state"),
        ("return-no-json", "malformed"),
        ("panic", "trap"),
        ("fail-to-decide", "undecided"),
    ] {
        let table = format!(
            "settings = {{ does = \"{does}\" }}\nlimits = {{ time = \"500ms\", wall = \"3s\" }}\n\
             [[attempt]]\nname = \"{does}\"\nverdict = \"fault\"\nfault = \"{fault}\"\n"
        );
        let table = TestTable::parse(&table, Path::new("hostile.table.toml")).expect("a table");
        let hostile = Component::guest("hostile").octets().to_vec();
        assert_passes(does, (hostile.into(), table)).await;
    }
}

#[tokio::test]
async fn fuel_is_the_same_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let runtime = Arc::new(Runtime::metered().expect("an engine"));
        let (source, table) = of_method("wampcra");
        let tried = Tried::table(&runtime, source, &table)
            .await
            .expect("a trial");
        let turns = tried.outcomes.into_iter().flat_map(|outcome| outcome.turns);
        let fuel: Vec<_> = turns.map(|turn| turn.cost.and_then(|it| it.fuel)).collect();
        assert!(
            fuel.iter().all(|fuel| fuel.is_some_and(|it| it > 0)),
            "{fuel:?}"
        );
        runs.push(fuel);
    }
    assert_eq!(runs.first(), runs.last());
}

/// Unknown, wrong, disabled and locked: the same calls of the host, and fuel that differs by a
/// thousandth at most.
#[tokio::test]
async fn t02_the_work_is_the_same_for_who_exists_and_who_does_not() {
    for name in WITH_CREDENTIALS {
        let conformance = conformance(name).await;
        let found: Vec<_> = conformance.of(Check::Enumeration).collect();
        assert!(found.is_empty(), "{name}: {found:#?}");
        assert!(
            conformance.looks(Check::Enumeration) >= 5,
            "{name}: there was nothing to compare"
        );
    }
}
