//! Whole files: what they become, and that nothing one does to them opens a door.

mod messages;
mod slips;

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::wamp::{Action, Actions, MatchPolicy};

const FILE: &str = "realms/acme.toml";

/// Every key that a realm's file can have.
const FULL_REALM: &str = r#"
roles = [
  "user",
  "guest",
  { role = "admin", requires = ["totp"] },
]
longest_session = "12h"

[limits]
logins = 100
calls = 8
queue = 16
wait = "2s"

[[login]]
steps = [
  "wampcra",
  { method = "totp", when = "enrolled", may_change = ["role"] },
]

[[login]]
steps = ["anonymous"]

[[login]]
steps = ["ticket"]

[method.totp]
component = "totp-2.wasm"
settings = { digits = 6, skew = 0.5, strict = true, issuers = ["a", "b"], more.deep = -1 }
instances = "warm"
guesses = { most = 3, lock = "30s", longest = "2h", total = 50, first_step = "counted" }
imports = ["credentials", "wasi", "http"]
origins = ["https://auth.example.com"]
signing_key = "auth.key"
[method.totp.limits]
time = "20ms"
wall = "1s"
memory = "16MiB"
input = "32KiB"
output = "1KiB"
log = "512B"
state = "256B"
handles = 16
host_calls = 500
passwords = 1
requests = 2
rounds = 3

[method.anonymous]
settings.role = "guest"

[method.ticket]
component = "procedure.wasm"
settings = { procedure = "com.acme.authenticate" }
procedures = { realm = "admin", allow = ["com.acme.authenticate", "com.acme.b"], timeout = "2s" }

[[authenticates]]
realm = "other"
procedures = ["com.acme.authenticate"]
[key_set.id]
url = "https://id.example.com/keys"
refresh = "2h"
keep = "3h"
pause = "1m"

[key_set.backup]
file = "backup.jwks"

[[permission]]
role = "user"
uri = "com.acme."
match = "prefix"
allow = ["call", "subscribe"]

[[permission]]
role = "guest"
uri = "com..news"
match = "wildcard"
allow = []

[[permission]]
role = "guest"
uri = "com.acme.time"
allow = ["call"]
"#;

/// Every key that the operator's file can have.
const FULL_OPERATOR: &str = r#"
[[listener]]
address = "127.0.0.1:8080"
path = "/wamp"
[[listener]]
address = "[::1]:0"
protocols = ["rawsocket"]
origins = ["https://app.example.com", "http://localhost:3000"]
[listener.tls]
certificate = "tls/router.pem"
key = "/run/router.key"
client_roots = "tls/staff.pem"
client_certificate = "required"
[listener.proxy]
from = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"]
header = "proxy-protocol"
[[listener]]
address = "unix:wamp.sock"
mode = "660"
[realms]
directory = "tenants"
[methods]
directory = "/usr/lib/countersign"
[credentials]
file = "../secret.db"
[login]
message_size = "32KiB"
nesting = 32
hello = "1s"
round = "2s"
total = "3m"
rounds = 4
waiting = 100
[session]
message_size = "1MiB"
queue = "2MiB"
ping = "1m"
[passwords]
parallel = 3
queue = 16
wait = "3s"
memory = "256MiB"
[limits.call]
time = "1s"
passwords = 2
[limits.realm]
logins = 5000
calls = 32
[egress]
origins = ["https://auth.example.com", "http://127.0.0.1:9000"]
networks = ["127.0.0.1", "10.1.0.0/16"]
ca_file = "ca.pem"
secrets = "keys"
time = "2s"
response_size = "8KiB"
parallel = 4
[metrics]
address = "10.1.2.3:9464"
remote = "allow"
"#;

fn realm(text: &str) -> Result<Realm, ConfigError> {
    Realm::parse(text, Path::new(FILE), &Ceilings::default())
}

fn operator(text: &str) -> Result<Operator, ConfigError> {
    Operator::parse(text, Path::new("etc/countersign.toml"))
}

#[test]
#[expect(clippy::too_many_lines, reason = "everything")]
fn a_realm_that_says_everything() {
    let realm = realm(FULL_REALM).unwrap();
    assert_eq!(realm.name.as_str(), "acme");
    assert!(realm.roles.contains("user") && realm.roles.contains("guest"));
    assert_eq!(realm.longest_session, Some(Duration::from_hours(12)));
    let steps = |login: &Login| login.names().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(steps(&realm.logins[0]), ["wampcra", "totp"]);
    assert_eq!(steps(&realm.logins[1]), ["anonymous"]);
    let [wampcra, totp] = &realm.logins[0].steps[..] else {
        panic!("two steps")
    };
    assert_eq!((wampcra.when, wampcra.may_change.len()), (When::Always, 0));
    assert_eq!(
        (totp.when, &totp.may_change),
        (When::Enrolled, &[Change::Role].into())
    );
    assert_eq!(realm.assurance.len(), 1);
    assert!(realm.assurance["admin"].contains("totp"));

    let totp = &realm.methods["totp"];
    assert_eq!(totp.component.as_str(), "totp-2.wasm");
    assert_eq!(
        totp.settings.to_json(),
        r#"{"digits":6,"issuers":["a","b"],"more":{"deep":-1},"skew":0.5,"strict":true}"#,
    );
    let limits = CallLimits {
        time: Duration::from_millis(20),
        wall: Duration::from_secs(1),
        memory: Octets::mib(16),
        input: Octets::kib(32),
        output: Octets::kib(1),
        log: Octets::new(512),
        state: Octets::new(256),
        handles: 16,
        host_calls: 500,
        passwords: 1,
        requests: 2,
        rounds: 3,
    };
    assert_eq!(totp.limits, limits);
    assert_eq!(totp.instances, Instances::Warm);
    let limits = RealmLimits {
        logins: 100,
        calls: 8,
        queue: 16,
        wait: Duration::from_secs(2),
    };
    assert_eq!(realm.limits, limits);
    let guesses = GuessLimits {
        most: 3,
        lock: Duration::from_secs(30),
        longest: Duration::from_hours(2),
        total: 50,
        first_step: FirstStep::Counted,
    };
    assert_eq!(totp.guesses, guesses);
    assert_eq!(
        totp.imports,
        [Capability::Credentials, Capability::Wasi, Capability::Http].into()
    );
    let origins: Vec<_> = totp.origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://auth.example.com"]);
    let auth_key = SecretName::new("auth.key").unwrap();
    assert_eq!(totp.authorization, Some(Authorization::Signature(auth_key)));

    let procedures = realm.methods["ticket"].procedures.as_ref().unwrap();
    assert_eq!(procedures.realm.as_str(), "admin");
    assert!(procedures.allow.contains("com.acme.authenticate"));
    assert_eq!(procedures.allow.len(), 2);
    assert_eq!(procedures.timeout, Duration::from_secs(2));
    assert!(
        realm.methods["ticket"]
            .imports
            .contains(&Capability::Procedures)
    );

    let [authenticates] = &realm.authenticates[..] else {
        panic!("one realm")
    };
    assert!(authenticates.allows("other", "com.acme.authenticate"));
    assert!(!authenticates.allows("other", "com.acme.b"));
    assert!(!authenticates.allows("third", "com.acme.authenticate"));
    let minutes = Duration::from_mins;
    let id = KeySetPlace::Remote(RemoteKeySet {
        url: KeySetUrl::new("https://id.example.com/keys").unwrap(),
        refresh: minutes(120),
        keep: minutes(180),
        pause: minutes(1),
    });
    let backup = KeySetPlace::File("realms/backup.jwks".into());
    let places: Vec<_> = realm
        .key_sets
        .iter()
        .map(|(name, place)| (name.as_str(), place))
        .collect();
    assert_eq!(places, [("backup", &backup), ("id", &id)]);

    let [prefix, wildcard, exact] = &realm.permissions[..] else {
        panic!("three permissions")
    };
    assert_eq!(
        (prefix.pattern.policy(), prefix.pattern.as_str()),
        (MatchPolicy::Prefix, "com.acme.")
    );
    assert_eq!(
        prefix.allow,
        [Action::Call, Action::Subscribe].into_iter().collect()
    );
    assert!(prefix.allow.contains(Action::Call) && !prefix.allow.contains(Action::Publish));
    assert_eq!(
        (wildcard.pattern.policy(), wildcard.allow),
        (MatchPolicy::Wildcard, Actions::default())
    );
    assert_eq!(
        (exact.pattern.policy(), exact.role.as_str()),
        (MatchPolicy::Exact, "guest")
    );
}

#[test]
fn a_step_without_a_table_has_its_defaults() {
    let realm = realm(FULL_REALM).unwrap();
    let wampcra = &realm.methods["wampcra"];
    assert_eq!(wampcra.component.as_str(), "wampcra.wasm");
    assert_eq!(wampcra.settings.to_json(), "{}");
    assert_eq!(wampcra.limits, CallLimits::default());
    assert_eq!(wampcra.instances, Instances::Fresh);
    let what_reaches_outside = [
        Capability::Procedures,
        Capability::Http,
        Capability::KeySets,
    ]
    .into();
    assert_eq!(
        &Capability::ALL.into() - &wampcra.imports,
        what_reaches_outside
    );
    assert_eq!(wampcra.procedures, None);
    assert!(wampcra.origins.is_empty() && wampcra.authorization.is_none());
    assert_eq!(wampcra.guesses, GuessLimits::default());
}

#[test]
fn browsers_are_remembered_where_a_step_or_a_table_says_so() {
    let terms = |text: &str| {
        realm(&format!("roles = [\"user\"]\n{text}"))
            .unwrap()
            .cookie
    };
    let days = |days: u64| Duration::from_hours(24 * days);
    let default = CookieTerms {
        lifetime: days(7),
        longest: days(30),
    };
    assert_eq!(terms("[[login]]\nsteps = [\"ticket\"]"), None);
    assert_eq!(terms("[[login]]\nsteps = [\"cookie\"]"), Some(default));
    assert_eq!(
        terms("[[login]]\nsteps = [\"cookie\", \"totp\"]"),
        Some(default)
    );
    assert_eq!(terms("[cookie]"), Some(default));
    let short = CookieTerms {
        lifetime: days(1),
        ..default
    };
    assert_eq!(terms("[cookie]\nlifetime = \"1d\""), Some(short));
    // Who wants it longer than usual need not say so twice.
    let long = CookieTerms {
        lifetime: days(90),
        longest: days(90),
    };
    assert_eq!(terms("[cookie]\nlifetime = \"90d\""), Some(long));
}

#[test]
fn a_realm_needs_only_roles_and_then_lets_nobody_in() {
    let realm = realm("roles = ['user']").unwrap();
    assert!(realm.logins.is_empty() && realm.methods.is_empty() && realm.permissions.is_empty());
    assert_eq!(realm.longest_session, None);
}

#[test]
fn settings_do_not_show_in_debug_output() {
    let text = "roles = ['a']\nlogin = [{ steps = ['x'] }]\nmethod.x.settings.token = 'hunter2'";
    let shown = format!("{:?}", realm(text).unwrap());
    assert!(
        shown.contains("token") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "everything")]
fn an_operator_that_says_everything() {
    let operator = operator(FULL_OPERATOR).unwrap();
    let listeners: Vec<_> = operator
        .listeners
        .iter()
        .map(|l| format!("{}{}", l.address, l.path))
        .collect();
    assert_eq!(
        listeners,
        ["127.0.0.1:8080/wamp", "[::1]:0/ws", "unix:etc/wamp.sock/ws"]
    );
    let [plain, full, unix] = &operator.listeners[..] else {
        panic!("three listeners");
    };
    let both = [Protocol::WebSocket, Protocol::RawSocket];
    assert_eq!(plain.protocols, both.into());
    assert_eq!(
        (&plain.origins, &plain.tls, &plain.proxy),
        (&None, &None, &None)
    );
    assert!(unix.any_path && !plain.any_path && !full.any_path);
    assert_eq!(full.protocols, [Protocol::RawSocket].into());
    let tls = Tls {
        certificate: "etc/tls/router.pem".into(),
        key: "/run/router.key".into(),
        client_roots: Some("etc/tls/staff.pem".into()),
        client_certificate: ClientCertificate::Required,
    };
    assert_eq!(full.tls, Some(tls));
    let origins: Vec<_> = full
        .origins
        .iter()
        .flatten()
        .map(WebOrigin::as_str)
        .collect();
    assert_eq!(
        origins,
        ["http://localhost:3000", "https://app.example.com"]
    );
    let proxy = full.proxy.as_ref().unwrap();
    assert_eq!(proxy.header, ProxyHeader::ProxyProtocol);
    for (address, believed) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("192.0.2.7", true),
        ("fd00::1", true),
        ("192.0.2.8", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(proxy.is_at(address.parse().unwrap()), believed, "{address}");
    }
    assert_eq!(unix.mode.bits(), 0o660);
    assert_eq!(plain.mode.bits(), 0o600, "the router's own user");
    assert_eq!(operator.realms, Path::new("etc/tenants"));
    assert_eq!(operator.methods, Path::new("/usr/lib/countersign"));
    assert_eq!(operator.credentials, Path::new("etc/../secret.db"));
    let login = LoginLimits {
        message_size: Octets::kib(32),
        nesting: 32,
        hello: Duration::from_secs(1),
        round: Duration::from_secs(2),
        total: Duration::from_mins(3),
        rounds: 4,
        waiting: 100,
    };
    assert_eq!(operator.login, login);
    let session = SessionLimits {
        message_size: Octets::mib(1),
        queue: Octets::mib(2),
        ping: Duration::from_mins(1),
    };
    assert_eq!(operator.session, session);
    assert_eq!(operator.passwords.threads().get(), 3);
    assert_eq!(operator.passwords.queue, 16);
    assert_eq!(operator.passwords.wait, Duration::from_secs(3));
    assert_eq!(operator.passwords.memory, Some(Octets::mib(256)));
    let ceilings = Ceilings {
        call: CallLimits {
            time: Duration::from_secs(1),
            passwords: 2,
            ..CallLimits::MOST
        },
        realm: RealmLimits {
            logins: 5000,
            calls: 32,
            ..RealmLimits::default()
        },
        file: "etc/countersign.toml".into(),
    };
    assert_eq!(operator.ceilings, ceilings);
    let metrics = MetricsConfig {
        address: Some("10.1.2.3:9464".parse().unwrap()),
    };
    assert_eq!(operator.metrics, metrics);
    let EgressConfig {
        origins,
        networks,
        ca_file,
        secrets,
        time,
        response_size,
        parallel,
    } = operator.egress;
    let shown = |list: Vec<String>| list.join(" ");
    assert_eq!(
        shown(origins.unwrap().iter().map(ToString::to_string).collect()),
        "http://127.0.0.1:9000 https://auth.example.com"
    );
    assert_eq!(
        shown(networks.iter().map(ToString::to_string).collect()),
        "10.1.0.0/16 127.0.0.1/32"
    );
    assert_eq!(ca_file.as_deref(), Some(Path::new("etc/ca.pem")));
    assert_eq!(secrets, Path::new("etc/keys"));
    assert_eq!((time, parallel), (Duration::from_secs(2), 4));
    assert_eq!(response_size, Octets::kib(8));
}

#[test]
fn an_operator_needs_only_a_listener() {
    let operator = Operator::parse(
        "[[listener]]\naddress = '127.0.0.1:80'",
        Path::new("countersign.toml"),
    )
    .unwrap();
    assert_eq!(operator.realms, Path::new("realms"));
    assert_eq!(operator.methods, Path::new("methods"));
    assert_eq!(operator.loading.revisions, Path::new("revisions"));
    assert_eq!(operator.metrics, MetricsConfig::default());
    assert_eq!(operator.credentials, Path::new("credentials.db"));
    assert_eq!(operator.login, LoginLimits::default());
    assert_eq!(operator.session, SessionLimits::default());
    assert_eq!(operator.egress, EgressConfig::new(Path::new("")));
    assert!(operator.egress.networks.is_empty());
    assert_eq!(operator.ceilings, Ceilings::default());
    assert!(operator.passwords.threads().get() >= 1);
}

#[test]
fn the_demo_is_right() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/demo");
    let operator = Operator::read(&demo.join("countersign.toml")).unwrap();
    let realm = Realm::read(&operator.realms.join("realm1.toml"), &operator.ceilings).unwrap();
    assert_eq!(operator.listeners[0].address.to_string(), "127.0.0.1:8080");
    assert_eq!(realm.name.as_str(), "realm1");
    let logins: Vec<_> = realm
        .logins
        .iter()
        .map(|login| login.steps[0].name.as_str())
        .collect();
    assert_eq!(logins, ["wampcra", "cryptosign", "ticket", "anonymous"]);
    assert_eq!(
        realm.methods["anonymous"].settings.to_json(),
        r#"{"role":"guest"}"#
    );
    assert_eq!(realm.permissions.len(), 2);
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let message = |name: &str| {
        let error = Operator::read(&path(name)).unwrap_err().to_string();
        error.replace(&format!("{}/", directory.path().display()), "")
    };

    assert_eq!(
        message("none.toml"),
        "none.toml: there is no such file; create it, or name another with --config",
    );
    fs::create_dir(path("directory")).unwrap();
    assert_eq!(
        message("directory"),
        "directory: this is not a file; put a TOML file there"
    );
    fs::write(path("large.toml"), "#".repeat(1024 * 1024 + 1)).unwrap();
    assert_eq!(
        message("large.toml"),
        "large.toml: the file is larger than 1 MiB, the most that is read; make it smaller",
    );
    fs::write(path("octets.toml"), b"# \xc3\xa4\n# \xc3\xa4\xff").unwrap();
    assert_eq!(
        message("octets.toml"),
        "octets.toml:2:4: this octet is not UTF-8; save the file as UTF-8",
    );
}

#[test]
fn a_file_of_mistakes_is_refused_soon_and_in_few_lines() {
    let many = |piece: &str| piece.repeat(500_000 / piece.len());
    for text in [
        many("=\n"),
        many("[[permission]]\nrole = 'usr'\nx = 1\n"),
        format!("{}a = 1", many("a.")),
        format!("[{}a]", many("a.")),
        format!("a = {}", many("[")),
        format!("a = {}", many("{a=")),
        format!("roles = ['{}']", many("a")),
        format!("{} = 1", many("a")),
        (0..50_000)
            .map(|i| format!("a{i} = 1"))
            .collect::<Vec<_>>()
            .join("\n"),
    ] {
        let message = realm(&text).unwrap_err().to_string();
        assert!(
            message.len() < 10_000 && message.lines().count() <= 21,
            "{message}"
        );
    }
}
