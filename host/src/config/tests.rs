//! Whole files: what they become, and that nothing one does to them opens a door.

mod messages;
mod mutations;
mod operator;
mod permissive;
mod realm;
mod slips;

use std::{fs, path::Path};

use tempfile::TempDir;

use super::*;

const FILE: &str = "realms/acme.toml";

/// Every key that a realm's file can have.
const FULL_REALM: &str = r#"
roles = [
  "user",
  "guest",
  { role = "admin", requires = ["totp"] },
]
longest_session = "12h"
cleartext = "refuse"

[cookie]
lifetime = "1d"
longest = "2d"

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
digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
rollback = { faults = 2, of = 9 }
cleartext = "refuse"
conform = "required"
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
role = "user"
uri = "com.acme.secret."
match = "prefix"
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
signers = ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]
cache = "compiled"
revisions = "kept"
compile_time = "30s"
compile_memory = "512MiB"
conform = "required"
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
[admin]
socket = "/run/countersign.sock"
[metrics]
address = "10.1.2.3:9464"
remote = "allow"
[audit]
file = "audit.jsonl"
unrecorded = "allow"
wait = "2s"
sync = "always"
"#;

fn realm(text: &str) -> Result<Realm, ConfigError> {
    Realm::parse(text, Path::new(FILE), &Ceilings::default())
}

fn operator(text: &str) -> Result<Operator, ConfigError> {
    Operator::parse(text, Path::new("etc/countersign.toml"))
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
