use std::fs;

use clap::Parser;
use tempfile::TempDir;

use super::*;
use crate::credential::{EnrolledKey, EnrolmentCode, Kind, Material};

mod totp;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    credential: CredentialArgs,
}

/// A directory with a configuration and the realm "acme".
struct House {
    directory: TempDir,
}

impl House {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        fs::write(
            file("countersign.toml"),
            "[[listener]]\naddress = \"127.0.0.1:0\"\n",
        )
        .unwrap();
        fs::create_dir(file("realms")).unwrap();
        fs::write(file("realms/acme.toml"), "roles = [\"user\", \"admin\"]\n").unwrap();
        Self { directory }
    }

    /// Runs a command with these lines as its standard input.
    fn run(&self, command: &str, lines: &'static str) -> Result<Report, String> {
        let config = self.directory.path().join("countersign.toml");
        let words = ["credential", "--config", config.to_str().unwrap()];
        CommandLine::try_parse_from(words.into_iter().chain(command.split(' ')))
            .map_err(|error| error.to_string())
            .and_then(|line| {
                execute(&line.credential, &Prompt::lines(lines.as_bytes()))
                    .map_err(|error| format!("{error:#}"))
            })
    }

    fn add(&self, arguments: &str, lines: &'static str) -> Result<Report, String> {
        self.run(&format!("add acme {arguments}"), lines)
    }

    fn list(&self) -> String {
        self.run("list acme", "").unwrap().result
    }

    /// Has a passkey kept, as a router does.
    fn enrol(&self, authid: &str, code: &EnrolmentCode, key: &EnrolledKey) {
        let store = Sqlite::open(self.directory.path().join("credentials.db")).unwrap();
        let (realm, kind, authid) = ("acme".into(), Kind::webauthn(), authid.into());
        let code = code.hash(&realm, &kind, &authid);
        let now = std::time::SystemTime::now();
        let kept = store.enrol(&realm, &kind, &authid, &code, key, now);
        assert_eq!(kept.unwrap(), Ok(()));
    }

    fn material(&self, kind: &Kind, authid: &str) -> Material {
        let store = Sqlite::open(self.directory.path().join("credentials.db")).unwrap();
        store
            .find(&"acme".into(), kind, &authid.into())
            .unwrap()
            .unwrap()
            .material
    }
}

const KEY: &str = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d";

#[test]
fn a_credential_comes_and_goes() {
    let house = House::new();
    assert_eq!(house.list(), "realm acme has no credentials\n");
    assert!(!house.directory.path().join("credentials.db").exists());

    let added = house.add("ticket alice --role user", "s3cret\n").unwrap();
    assert_eq!(
        added.result,
        "alice can log in to realm acme by ticket, with the role user\n"
    );
    assert!(house.list().contains("\nalice   ticket  user  20"));

    let removed = house.run("remove acme ticket alice", "").unwrap();
    assert_eq!(
        removed.result,
        "removed the ticket credential of alice in realm acme\n"
    );
    assert_eq!(house.list(), "realm acme has no credentials\n");
    let none = house.run("remove acme ticket alice", "").unwrap();
    let remark = none.remark.unwrap();
    assert!(remark.starts_with("error: alice has no \"ticket\" credential in realm acme"));
    assert_eq!((none.status, none.result.as_str()), (1, ""));
}

#[test]
fn a_credential_is_replaced_only_on_demand() {
    let house = House::new();
    house.add("ticket alice --role user", "s3cret\n").unwrap();
    // Nothing is asked for: there is no line to read.
    let refused = house.add("ticket alice --role admin", "").unwrap_err();
    assert!(
        refused.contains("already; --replace replaces it"),
        "{refused}"
    );
    house
        .add("ticket alice --role admin --replace", "other\n")
        .unwrap();
    assert!(house.list().contains("\nalice   ticket  admin  "));
}

#[test]
fn one_name_is_one_authid_however_it_is_written() {
    let house = House::new();
    house
        .add("ticket caf\u{e9} --role user", "s3cret\n")
        .unwrap();
    house
        .add("ticket cafe\u{301} --role user", "s3cret\n")
        .unwrap_err();
    house.run("remove acme ticket cafe\u{301}", "").unwrap();
}

#[test]
fn a_role_is_one_of_the_realms() {
    let house = House::new();
    let refused = house
        .add("ticket alice --role usr", "s3cret\n")
        .unwrap_err();
    assert!(refused.contains("\"usr\" is not a role of realm acme; did you mean \"user\"?"));
    assert!(
        refused.contains("Its roles are \"admin\", \"user\""),
        "{refused}"
    );
    let refused = house
        .run("add acne ticket alice --role user", "s3cret\n")
        .unwrap_err();
    assert!(
        refused.contains("acne.toml: there is no such file"),
        "{refused}"
    );
    assert_eq!(house.list(), "realm acme has no credentials\n");
}

#[test]
fn options_belong_to_kinds() {
    let house = House::new();
    for (arguments, explained) in [
        ("ticket alice --role user --plain", "for wampcra only"),
        (
            "cryptosign alice --role user --iterations 5",
            "for wampcra and scram only",
        ),
        (
            "wampcra alice --role user --public-key 00",
            "for cryptosign only",
        ),
        (
            "wampcra alice --role user --plain --iterations 5",
            "cannot be used with",
        ),
        ("wampcra alice --role user --iterations 0", "1..=10000000"),
        (
            "wampcra alice --role user --iterations 1000001",
            "1 to 1000000 are possible",
        ),
        (
            "riddle alice --role user",
            "ticket, wampcra, cryptosign, totp, scram",
        ),
        ("wampcra alice --role user --kdf pbkdf2", "for scram only"),
        ("ticket alice --role user --memory 8192", "for scram only"),
        ("scram alice --role user --plain", "for wampcra only"),
        ("scram alice --role user --kdf bcrypt", "argon2id13, pbkdf2"),
        (
            "scram alice --role user --kdf pbkdf2 --memory 65536",
            "--memory is for argon2id13",
        ),
        (
            "scram alice --role user --kdf pbkdf2 --iterations 4095",
            "4096 (RFC 7677 section 4) to 10000000 are possible",
        ),
        (
            "scram alice --role user --memory 7168",
            "3 iterations of Argon2id over 7168 KiB",
        ),
        ("scram alice --role user --memory 4194304", "1048576 KiB"),
        ("scram \u{378} --role user", "no SCRAM client can log in"),
        ("ticket alice --role user --digits 8", "for totp only"),
        ("ticket alice --role user --import", "for totp only"),
        ("totp alice --role user --digits 9", "6..=8"),
        ("totp alice --role user --valid 5", "for webauthn only"),
        ("webauthn alice --role user --valid 0", "1..=44640"),
        ("totp alice --role user --plain", "for wampcra only"),
        ("ticket alice", "--role"),
    ] {
        let refused = house.add(arguments, "s3cret\n").unwrap_err();
        assert!(refused.contains(explained), "{arguments}: {refused}");
    }
    assert!(
        house
            .run("list wamp.x", "")
            .unwrap_err()
            .contains("a realm is a WAMP URI")
    );
}

#[test]
fn a_passkey_is_invited_by_a_code_that_is_shown_once() {
    let house = House::new();
    let invite = |more: &str| house.add(&format!("webauthn alice --role user{more}"), "");
    let first = invite("").unwrap();
    assert!(
        first
            .result
            .starts_with("alice can add a passkey for realm acme, with the role user, until 2"),
        "{}",
        first.result
    );
    let code = |report: &Report| {
        let text = report.secret.as_ref().unwrap().expose();
        let code = text.lines().find_map(|line| line.strip_prefix("  "));
        EnrolmentCode::parse(code.unwrap()).unwrap()
    };
    assert!(!format!("{first:?}").contains(&*code(&first).expose()));
    assert!(
        house.list().contains("code, open until 2"),
        "{}",
        house.list()
    );
    // As often as one likes; the last one counts.
    let second = invite(" --valid 5").unwrap();
    assert_ne!(code(&first), code(&second));
    assert_eq!(house.list().lines().count(), 2, "{}", house.list());

    let key = EnrolledKey::new(b"id", b"key", 0, "{}").unwrap();
    house.enrol("alice", &code(&second), &key);
    assert!(house.list().contains("1 key\n"), "{}", house.list());
    let refused = house.add("webauthn alice --role admin", "").unwrap_err();
    assert!(
        refused.contains("--replace removes those first"),
        "{refused}"
    );
    house
        .add("webauthn alice --role admin --replace", "")
        .unwrap();
    assert!(!house.list().contains("key"), "{}", house.list());
    let json = house.run("list acme --json", "").unwrap().result;
    assert!(json.contains("\"open_until\": \"2"), "{json}");

    let removed = house.run("remove acme webauthn alice", "").unwrap();
    assert_eq!(removed.status, 0);
    assert_eq!(house.list(), "realm acme has no credentials\n");
}

#[test]
fn public_keys_come_from_arguments_or_from_standard_input() {
    let house = House::new();
    house
        .add(
            &format!("cryptosign alice --role user --public-key {KEY}"),
            "",
        )
        .unwrap();
    let second = "6ed32739ff04a6074044ff0b0e3bfc7c856bc9d5f1d25efc57363bda0af3a8b0";
    let lines = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d\n\
                 6ed32739ff04a6074044ff0b0e3bfc7c856bc9d5f1d25efc57363bda0af3a8b0\n";
    house.add("cryptosign bob --role user", lines).unwrap();
    let keys = |authid| match house.material(&Kind::cryptosign(), authid) {
        Material::PublicKeys(keys) => keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(keys("alice"), [KEY]);
    assert_eq!(keys("bob"), [KEY, second]);

    let weak = format!("01{}", "00".repeat(31));
    let refused = house.add(
        &format!("cryptosign eve --role user --public-key {weak}"),
        "",
    );
    assert!(refused.unwrap_err().contains("weak public key"));
    assert!(
        house
            .add("cryptosign eve --role user", "")
            .unwrap_err()
            .contains("standard input")
    );
    assert!(
        house
            .add("ticket eve --role user", "\n")
            .unwrap_err()
            .contains("secret is empty")
    );
}

#[test]
fn a_credential_unlike_the_others_is_told() {
    let house = House::new();
    let add = |arguments: &str| {
        let added = house.add(&format!("wampcra {arguments} --role user"), "s3cret\n");
        added.unwrap().remark.unwrap_or_default()
    };
    assert_eq!(add("alice"), "");
    assert_eq!(add("bob"), "");
    let warning = add("carol --iterations 1000");
    assert!(warning.starts_with(
        "warning: carol has a salt with iterations 1000, keylen 32, and alice, the oldest wampcra \
         credential of realm acme, has a salt with iterations 10000, keylen 32."
    ));
    assert!(add("dave --plain").starts_with("warning: dave has a plain secret, and alice"));
    // Everybody is compared with the oldest, so changing that makes the others odd.
    assert!(
        add("alice --replace --plain")
            .starts_with("warning: alice has the oldest wampcra credential")
    );
    assert_eq!(add("dave --replace --plain"), "");
}

#[test]
fn a_list_for_programs_is_json() {
    let house = House::new();
    house.add("ticket alice --role user", "s3cret\n").unwrap();
    let text = house.run("list acme --json", "").unwrap().result;
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list[0]["authid"], "alice");
    assert_eq!(list[0]["created"], list[0]["changed"]);
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn a_credential_is_disabled_and_enabled_and_expires() {
    let house = House::new();
    house.add("ticket alice --role user", "s3cret\n").unwrap();
    let run = |command: &str| house.run(command, "").unwrap();
    for (command, result, state) in [
        (
            "disable acme ticket alice",
            "disabled the ticket credential of alice in realm acme\n",
            "disabled",
        ),
        (
            "expire acme ticket alice 90d",
            "set an end to the ticket credential of alice in realm acme\n",
            "disabled",
        ),
        (
            "enable acme ticket alice",
            "enabled the ticket credential of alice in realm acme\n",
            "expires 20",
        ),
        (
            "expire acme ticket alice --never",
            "set no end to the ticket credential of alice in realm acme\n",
            "good",
        ),
    ] {
        assert_eq!(run(command).result, result);
        assert!(house.list().contains(state), "{command}: {}", house.list());
    }
    for command in [
        "disable acme totp alice",
        "enable acme ticket bob",
        "expire acme totp alice 1d",
    ] {
        let none = run(command);
        assert_eq!(none.status, 1);
        assert!(none.remark.unwrap().contains("has no"));
    }
    let error = house.run("expire acme ticket alice 90", "").unwrap_err();
    assert!(error.contains("it must be a duration"), "{error}");
    assert!(house.run("expire acme ticket alice", "").is_err());

    // A new one is not what the old one was.
    run("disable acme ticket alice");
    house
        .add("ticket alice --role user --replace", "other\n")
        .unwrap();
    assert!(house.list().contains("good"));
}

#[test]
fn a_lock_is_shown_and_lifted() {
    let house = House::new();
    house.add("totp alice --role user", "").unwrap();
    let none = house.run("unlock acme totp alice", "").unwrap();
    assert_eq!(none.status, 1);
    let store = Sqlite::open(house.directory.path().join("credentials.db")).unwrap();
    let guesser = credential::Guesser {
        realm: "acme".into(),
        kind: Kind::totp(),
        authid: "alice".into(),
        known: None,
    };
    let bounds = credential::Bounds {
        most: 1,
        lock: std::time::Duration::from_hours(1),
        longest: std::time::Duration::from_hours(1),
        total: 2,
    };
    let now = std::time::SystemTime::now();
    store.count_wrong(&guesser, &bounds, now).unwrap();
    assert!(house.list().contains("locked until 20"), "{}", house.list());
    store.count_wrong(&guesser, &bounds, now).unwrap();
    assert!(house.list().contains("locked, 2 wrong answers"));
    let lifted = house.run("unlock acme totp alice", "").unwrap();
    assert_eq!(
        lifted.result,
        "alice is not locked in realm acme by totp any more\n"
    );
    assert!(house.list().contains("good"));
}

#[test]
fn of_a_scram_password_only_keys_are_kept() {
    let house = House::new();
    let added = house
        .add(
            "scram alice --role user --kdf pbkdf2 --iterations 4096",
            "pencil\n",
        )
        .unwrap();
    assert_eq!(
        added.result,
        "alice can log in to realm acme by scram, with the role user\n"
    );
    assert!(matches!(
        house.material(&Kind::scram(), "alice"),
        Material::Scram(_)
    ));
    let file = fs::read(house.directory.path().join("credentials.db")).unwrap();
    assert!(!file.windows(6).any(|octets| octets == b"pencil"));
}

#[test]
fn whoever_has_another_kdf_than_the_oldest_is_noticed() {
    let house = House::new();
    let add = |arguments: &str| {
        let added = house.add(&format!("scram {arguments} --role user"), "pencil\n");
        added.unwrap().remark.unwrap_or_default()
    };
    let cheap = "--memory 7168 --iterations 5";
    assert_eq!(add(&format!("alice {cheap}")), "");
    assert_eq!(add(&format!("bob {cheap}")), "");
    let warning = add("carol --kdf pbkdf2 --iterations 4096");
    assert!(
        warning.contains("has a salt with iterations 4096, kdf \"pbkdf2\", and alice")
            && warning.contains("with the same --kdf, --iterations and --memory"),
        "{warning}"
    );
}
