use super::*;

const WHOLE: &str = r#"
step = "wampcra"
realm = "acme"
clock = 1700000000000
session = 7
settings = { authprovider = "acme" }
limits = { time = "20ms" }

[[credential]]
kind = "wampcra"
authid = "alice"
role = "user"
secret = "wonderland"
salt = "salt"

[[credential]]
kind = "totp"
authid = "bob"
role = "user"
state = "disabled"
seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

[[attempt]]
name = "the right secret"
authid = "alice"
authextra = { pubkey = "ab" }
transport = { peer = "tcp:192.0.2.1:1", line = "clear" }
nonces = ["0000000000000000000000000000000000000000000000000000000000000000"]
verdict = "accept"
identity = { authid = "alice", role = "user" }
[[attempt.proven]]
step = "ticket"
authid = "alice"
role = "user"
[[attempt.round]]
challenge = { salt = "salt" }
answer = "{nonce.hex}"

[[attempt]]
name = "nobody"
verdict = "deny"
says = "authid"
"#;

fn parse(text: &str) -> Result<TestTable, String> {
    TestTable::parse(text, Path::new("x.table.toml")).map_err(|error| error.to_string())
}

#[test]
fn a_whole_table_is_read() {
    let table = parse(WHOLE).unwrap();
    assert_eq!(table.clock, Duration::from_secs(1_700_000_000));
    assert_eq!(table.limits.time, Duration::from_millis(20));
    assert_eq!(table.credentials.len(), 2);
    let [first, second] = &*table.attempts else {
        panic!("{table:?}");
    };
    assert_eq!((first.rounds.len(), first.proven.len()), (1, 1));
    assert_eq!(first.transport.line, Line::Clear);
    assert_eq!(first.nonces, [[0; 32]]);
    assert!(
        matches!(&second.verdict, ExpectedVerdict::Deny { says: Some(says) } if says == "authid")
    );
    assert!(!format!("{table:?}").contains("wonderland"));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_to_do() {
    let attempt = "[[attempt]]\nname = \"a\"\nverdict = \"deny\"\n";
    for (text, expected) in [
        ("", "x.table.toml:1:1: the key \"attempt\" is missing"),
        (
            &*format!("setings = {{}}\n{attempt}"),
            "x.table.toml:1:1: unknown key \"setings\" at the top of the file; did you mean \"settings\"?",
        ),
        (
            &format!("{attempt}sayz = \"x\"\n"),
            "x.table.toml:4:1: unknown key \"sayz\" in [[attempt]]; did you mean \"says\"?",
        ),
        (
            // It belongs to another verdict.
            &format!("{attempt}identity = {{}}\n"),
            "unknown key \"identity\" in [[attempt]]",
        ),
        (
            &format!("{attempt}[[attempt.round]]\nanswer = \"{{nonce.hx}}\"\n"),
            "x.table.toml:5:10: \"answer\" has the place \"nonce.hx\", which there is not; did you mean \"nonce.hex\"?",
        ),
        (
            &format!(
                "{attempt}[[credential]]\nkind = \"tiket\"\nauthid = \"a\"\nrole = \"b\"\nsecret = \"c\"\n"
            ),
            "x.table.toml:5:8: \"kind\" is \"tiket\"; did you mean \"ticket\"?",
        ),
        (
            // Only of a verdict it is known what belongs beside it.
            "[[attempt]]\nname = \"a\"\nverdikt = \"deny\"\nsays = \"x\"\n",
            "x.table.toml:3:1: unknown key \"verdikt\" in [[attempt]]; did you mean \"verdict\"?",
        ),
        (
            "[[attempt]]\nname = \"a\"\nsays = \"x\"\n",
            "the key \"verdict\" is missing in [[attempt]]",
        ),
        (
            &format!("{attempt}[[credential]]\nauthid = \"a\"\nrole = \"b\"\nsecret = \"c\"\n"),
            "the key \"kind\" is missing in [[credential]]",
        ),
    ] {
        let told = parse(text).unwrap_err();
        assert!(told.contains(expected), "{told}\ndoes not say\n{expected}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}
