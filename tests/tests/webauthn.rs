//! Passkeys: made with a code of the operator's, then used to log in.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use countersign::credential::{EnrolmentCode, Invitation, Kind, Sqlite, Store};
use countersign::wamp::{Dict, Message, Value, reason};
use countersign_tests::{
    Browser, Client, Component, Deployment, Passkey, Refusal, Router, Website, answer, hello, sign,
};
use serde_json::json;
use xtask::Identity;

const RP: &str = "example.org";
const ORIGIN: &str = "https://example.org";

/// A router with two realms whose passkeys belong to the same website.
struct House(Deployment);

impl House {
    fn new() -> Self {
        Self::at(RP, ORIGIN)
    }

    fn at(rp: &str, origin: &str) -> Self {
        let deployment = Deployment::bare();
        let webauthn = xtask::component("countersign-webauthn").expect("it builds");
        let webauthn = Component::new(fs::read(webauthn).unwrap());
        deployment.component("webauthn", &webauthn);
        let realm = format!(
            "roles = [\"user\", \"admin\"]\n[[login]]\nsteps = [\"webauthn\"]\n\
             [method.webauthn]\nsettings = {{ rp = \"{rp}\", origins = [\"{origin}\"] }}\n"
        );
        for name in ["realm1", "realm2"] {
            deployment.realm(name, &realm);
        }
        Self(deployment)
    }

    async fn start(self) -> Router {
        self.0.start().await
    }
}

/// Has a code made, as an operator does.
fn invite(deployment: &Deployment, realm: &str, authid: &str) -> String {
    let arguments = ["add", realm, "webauthn", authid, "--role", "user"];
    let printed = deployment.credential(&arguments).unwrap();
    let code = printed.lines().find_map(|line| line.strip_prefix("  "));
    code.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

fn remove(deployment: &Deployment, authid: &str) {
    let removed = deployment.credential(&["remove", "realm1", "webauthn", authid]);
    removed.unwrap();
}

/// HELLO, with an enrolment code if there is one.
fn greeting(realm: &str, authid: Option<&str>, code: Option<&str>) -> Message {
    let Message::Hello { realm, mut details } = hello(realm, &["webauthn"], authid) else {
        unreachable!()
    };
    if let Some(code) = code {
        details.insert("authextra", Dict::new().with("enrolment", code));
    }
    Message::Hello { realm, details }
}

/// A client that is asked for a passkey, and the options.
async fn asked(router: &Router, greeting: Message) -> (Client, Dict) {
    let mut client = Client::greet(router, greeting).await;
    match client.receive().await {
        Message::Challenge { method, extra } if method == "webauthn" => (client, extra),
        other => panic!("{other:?}"),
    }
}

async fn asked_for(router: &Router, authid: &str) -> (Client, Dict) {
    asked(router, greeting("realm1", Some(authid), None)).await
}

async fn asked_to_enrol(router: &Router, authid: &str, code: &str) -> (Client, Dict) {
    asked(router, greeting("realm1", Some(authid), Some(code))).await
}

async fn is_welcome(mut client: Client, signature: &str, authid: &str) {
    client.send(&answer(signature)).await;
    let Message::Welcome { details, .. } = client.receive().await else {
        panic!("{authid} is not welcome with {signature}")
    };
    assert_eq!(details.text("authid"), Some(authid));
    assert_eq!(details.text("authrole"), Some("user"));
}

async fn is_refused(mut client: Client, signature: &str) -> Refusal {
    client.send(&answer(signature)).await;
    client.refusal().await
}

/// Makes somebody's passkey. Others have another number.
async fn enrol(router: &Router, authid: &str, number: u8) -> Passkey {
    let code = invite(&router.deployment, "realm1", authid);
    let mut passkey = Passkey::new(number, RP, ORIGIN);
    let (client, options) = asked_to_enrol(router, authid, &code).await;
    is_welcome(client, &passkey.create(&options), authid).await;
    passkey
}

async fn logs_in(router: &Router, authid: &str, passkey: &mut Passkey) {
    let (client, options) = asked_for(router, authid).await;
    is_welcome(client, &passkey.get(&options), authid).await;
}

async fn fails(router: &Router, authid: &str, passkey: &mut Passkey) -> Refusal {
    let (client, options) = asked_for(router, authid).await;
    is_refused(client, &passkey.get(&options)).await
}

/// All that is said to whoever is denied.
fn assert_same(refusals: &[Refusal]) {
    for refusal in refusals {
        assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
        assert_eq!(refusal, &refusals[0]);
    }
}

/// The ids in `allowCredentials` or `excludeCredentials`.
fn ids(options: &Dict, list: &str) -> Vec<String> {
    let list = options.value(list).and_then(Value::as_list).unwrap();
    let ids = list
        .iter()
        .map(|one| one.as_dict().unwrap().text("id").unwrap());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_browser_makes_a_passkey_and_logs_in_with_it() {
    let node = xtask::node_clients().unwrap();
    let example = xtask::root().join("examples/passkey");
    let website = Website::of(vec![
        ("index.html", example.join("index.html")),
        ("passkey.js", example.join("passkey.js")),
        (
            "autobahn.min.js",
            node.file("autobahn-browser/autobahn.min.js"),
        ),
    ])
    .await;
    let router = House::at("localhost", &website.origin()).start().await;
    let code = invite(&router.deployment, "realm1", "alice");
    let mut browser = Browser::open(&format!("{}/index.html", website.origin())).await;
    browser.add_authenticator().await;

    for (button, authid, enrolment, expected) in [
        ("enrol", "alice", &*code, "logged in as alice, role user"),
        ("login", "alice", "", "logged in as alice, role user"),
        // The passkey says whose it is.
        ("login", "", "", "logged in as alice, role user"),
        (
            "enrol",
            "alice",
            &*code,
            "not logged in: wamp.error.authentication_denied",
        ),
    ] {
        let fields = json!({
            "url": router.url(),
            "realm": "realm1",
            "authid": authid,
            "enrolment": enrolment,
        });
        // Fills the form in, presses the button, and waits for what is said to it.
        let script = format!(
            "new Promise((resolve) => {{
               const form = document.querySelector('form');
               for (const [name, value] of Object.entries({fields})) form.elements[name].value = value;
               const output = document.querySelector('output');
               const said = () => output.value !== '…' && (observer.disconnect(), resolve(output.value));
               const observer = new MutationObserver(said);
               observer.observe(output, {{ childList: true, characterData: true, subtree: true }});
               form.querySelector('[value={button}]').click();
             }})"
        );
        let said = browser.run(&script).await;
        assert!(
            said.as_str().is_some_and(|said| said.starts_with(expected)),
            "{button} {authid}: {said}"
        );
    }
    let why = router.whys(1).await;
    assert_eq!(
        why,
        ["webauthn: the enrolment code is not one that is open for this authid"]
    );
}

#[tokio::test]
async fn a_passkey_is_made_with_a_code_and_then_used() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    logs_in(&router, "alice", &mut passkey).await;
    // Nobody needs to say who they are: the passkey does.
    let (client, options) = asked(&router, greeting("realm1", None, None)).await;
    assert!(ids(&options, "allowCredentials").is_empty());
    is_welcome(client, &passkey.get(&options), "alice").await;
}

#[tokio::test]
async fn a_code_is_good_once_for_one_person_in_one_realm() {
    let router = House::new().start().await;
    let mut refusals = Vec::new();
    let code = invite(&router.deployment, "realm1", "alice");
    for (realm, authid, code) in [
        ("realm1", Some("bob"), &*code),
        ("realm2", Some("alice"), &*code),
        ("realm1", Some("alice"), "abcd-efgh-ijkl-mnop"),
        ("realm1", Some("alice"), ""),
        ("realm1", Some("alice"), &"a".repeat(4000)),
        ("realm1", None, &*code),
    ] {
        let client = Client::greet(&router, greeting(realm, authid, Some(code))).await;
        refusals.push(client.refusal().await);
    }

    // It has a second spelling.
    let spelling = code.replace('-', "").to_uppercase();
    let (client, options) = asked_to_enrol(&router, "alice", &spelling).await;
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    is_welcome(client, &passkey.create(&options), "alice").await;
    for code in [code, spelling] {
        let client = Client::greet(&router, greeting("realm1", Some("alice"), Some(&code))).await;
        refusals.push(client.refusal().await);
    }
    assert_same(&refusals);
    let whys = router.whys(refusals.len()).await;
    let no_authid = whys
        .iter()
        .filter(|why| *why == "webauthn: an enrolment needs an authid");
    assert_eq!(no_authid.count(), 1, "{whys:?}");
    let not_open = "webauthn: the enrolment code is not one that is open for this authid";
    let not_open = whys.iter().filter(|why| *why == not_open);
    assert_eq!(not_open.count(), refusals.len() - 1, "{whys:?}");
}

#[tokio::test]
async fn a_code_expires() {
    let router = House::new().start().await;
    let store = Sqlite::open(router.deployment.path("credentials.db")).unwrap();
    let code = EnrolmentCode::generate().unwrap();
    let (realm, kind, alice) = ("realm1".into(), Kind::webauthn(), "alice".into());
    let open_until = |expires| {
        let invitation = Invitation {
            authrole: "user".into(),
            code: code.hash(&realm, &kind, &alice),
            expires,
        };
        store.invite(&realm, &kind, &alice, &invitation).unwrap();
    };
    let (past, future) = (
        SystemTime::now() - Duration::from_secs(1),
        SystemTime::now() + Duration::from_hours(1),
    );
    open_until(past);
    let code_text = code.expose();
    let late = greeting("realm1", Some("alice"), Some(&code_text));
    let first = Client::greet(&router, late).await.refusal().await;

    // While the client makes its passkey.
    open_until(future);
    let (client, options) = asked_to_enrol(&router, "alice", &code_text).await;
    open_until(past);
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    let second = is_refused(client, &passkey.create(&options)).await;
    assert_same(&[first, second]);
}

#[tokio::test]
async fn of_two_who_show_one_code_one_gets_in() {
    let router = House::new().start().await;
    let code = invite(&router.deployment, "realm1", "alice");
    let (first, options) = asked_to_enrol(&router, "alice", &code).await;
    let (second, other_options) = asked_to_enrol(&router, "alice", &code).await;
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    is_welcome(first, &passkey.create(&options), "alice").await;
    let mut late = Passkey::new(2, RP, ORIGIN);
    is_refused(second, &late.create(&other_options)).await;
    logs_in(&router, "alice", &mut passkey).await;
    fails(&router, "alice", &mut late).await;
}

#[tokio::test]
async fn a_second_passkey_takes_a_second_code() {
    let router = House::new().start().await;
    let mut first = enrol(&router, "alice", 1).await;
    let code = invite(&router.deployment, "realm1", "alice");
    let listed = router.deployment.credential(&["list", "realm1"]).unwrap();
    assert!(
        listed.contains("1 key\n") && listed.contains("code, open until 2"),
        "{listed}"
    );

    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    // An authenticator that has one of hers already does not make another.
    assert_eq!(ids(&options, "excludeCredentials").len(), 1);
    let mut second = Passkey::new(2, RP, ORIGIN);
    second.counter = 100;
    is_welcome(client, &second.create(&options), "alice").await;

    // Each has a counter of its own.
    logs_in(&router, "alice", &mut second).await;
    logs_in(&router, "alice", &mut first).await;
    let (_, options) = asked_for(&router, "alice").await;
    assert_eq!(ids(&options, "allowCredentials").len(), 2);
    let listed = router.deployment.credential(&["list", "realm1"]).unwrap();
    assert!(
        listed.contains("2 keys\n") && !listed.contains("code"),
        "{listed}"
    );

    remove(&router.deployment, "alice");
    assert_same(&[
        fails(&router, "alice", &mut first).await,
        fails(&router, "alice", &mut second).await,
    ]);
}

#[tokio::test]
async fn a_passkey_belongs_to_one_person() {
    let router = House::new().start().await;
    let mut alices = enrol(&router, "alice", 1).await;
    let mut bobs = enrol(&router, "bob", 2).await;
    let swapped = fails(&router, "alice", &mut bobs).await;
    // Nor can it be somebody else's as well.
    let code = invite(&router.deployment, "realm1", "carol");
    let (client, options) = asked_to_enrol(&router, "carol", &code).await;
    let taken = is_refused(client, &alices.clone().create(&options)).await;
    assert_same(&[swapped, taken]);
    assert_eq!(
        router.whys(2).await,
        [
            "webauthn: the passkey belongs to somebody else",
            "webauthn: the passkey is enrolled already"
        ]
    );
    logs_in(&router, "alice", &mut alices).await;
    logs_in(&router, "bob", &mut bobs).await;
    // Carol's code has not been used up.
    let (client, options) = asked_to_enrol(&router, "carol", &code).await;
    is_welcome(
        client,
        &Passkey::new(3, RP, ORIGIN).create(&options),
        "carol",
    )
    .await;
}

#[tokio::test]
async fn t05_an_assertion_is_good_for_its_own_challenge_only() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let (client, options) = asked_for(&router, "alice").await;
    let assertion = passkey.get(&options);
    let (waiting, _) = asked_for(&router, "alice").await;
    is_welcome(client, &assertion, "alice").await;
    let replayed = is_refused(waiting, &assertion).await;
    let (client, _) = asked_for(&router, "alice").await;
    assert_same(&[replayed, is_refused(client, &assertion).await]);
    for why in router.whys(2).await {
        assert_eq!(
            why,
            "webauthn: the challenge that was answered is another one"
        );
    }
}

#[tokio::test]
async fn what_was_signed_for_another_place_is_denied() {
    type Change = fn(&mut Passkey);
    let cases: [(Change, &str); 7] = [
        (
            |it| it.origin = "https://example.org.evil.example".into(),
            "the page's origin is \"https://example.org.evil.example\", which is none of `origins`",
        ),
        (
            |it| it.rp = "evil.example".into(),
            "the authenticator was asked by another party than `rp`",
        ),
        (
            |it| it.cross_origin = true,
            "the page was in a frame of another site",
        ),
        (|it| it.flags = Passkey::USER_VERIFIED, "nobody was there"),
        (
            |it| it.flags = Passkey::USER_PRESENT,
            "the authenticator has not verified its user",
        ),
        (
            |it| it.flags |= Passkey::BACKED_UP,
            "the passkey is backed up, which it says it cannot be",
        ),
        (
            |it| it.flags |= Passkey::BACKUP_ELIGIBLE,
            "the passkey differs from the one that was enrolled in whether it can be backed up",
        ),
    ];
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let mut refusals = Vec::new();
    for (change, _) in cases {
        let mut changed = passkey.clone();
        change(&mut changed);
        refusals.push(fails(&router, "alice", &mut changed).await);
    }
    // The same holds for what is enrolled, but for what is then first said.
    for (change, _) in &cases[..6] {
        let code = invite(&router.deployment, "realm1", "bob");
        let (client, options) = asked_to_enrol(&router, "bob", &code).await;
        let mut changed = Passkey::new(2, RP, ORIGIN);
        change(&mut changed);
        refusals.push(is_refused(client, &changed.create(&options)).await);
    }
    assert_same(&refusals);
    let expected = cases.iter().chain(&cases[..6]);
    let expected: Vec<String> = expected
        .map(|(_, why)| format!("webauthn: {why}"))
        .collect();
    assert_eq!(router.whys(refusals.len()).await, expected);
    logs_in(&router, "alice", &mut passkey).await;
}

#[tokio::test]
async fn a_signature_counter_must_rise() {
    let router = House::new().start().await;
    let code = invite(&router.deployment, "realm1", "alice");
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    passkey.counter = 7;
    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    is_welcome(client, &passkey.create(&options), "alice").await;
    let mut copy = passkey.clone();
    for _ in 0..3 {
        logs_in(&router, "alice", &mut passkey).await;
    }
    // The copy says 8, 9 and 10, as the other has. A router that was killed has not forgotten it.
    let mut refusals = vec![fails(&router, "alice", &mut copy).await];
    let router = router.kill().await.start().await;
    refusals.push(fails(&router, "alice", &mut copy).await);
    refusals.push(fails(&router, "alice", &mut copy).await);
    // And none at all is less than what it was.
    let mut zero = passkey.clone();
    zero.counter = 0;
    refusals.push(fails(&router, "alice", &mut zero).await);
    assert_same(&refusals);
    for (why, counter) in router.whys(3).await.iter().zip([9, 10, 0]) {
        let told = format!(
            "webauthn: the signature counter has not risen: {counter} after 10. The passkey may have \
             been copied"
        );
        assert_eq!(*why, told);
    }
    logs_in(&router, "alice", &mut copy).await;
}

#[tokio::test]
async fn a_passkey_that_does_not_count_says_0_each_time() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    for _ in 0..2 {
        logs_in(&router, "alice", &mut passkey).await;
        assert_eq!(passkey.counter, 0);
    }
    // From when on it counts, it must go on to.
    passkey.counter = 1;
    logs_in(&router, "alice", &mut passkey).await;
    passkey.counter = 0;
    fails(&router, "alice", &mut passkey).await;
}

#[tokio::test]
async fn realms_do_not_share_passkeys() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    // An answer to one realm's challenge, in the other.
    let (_waiting, options) = asked_for(&router, "alice").await;
    let (client, _) = asked(&router, greeting("realm2", Some("alice"), None)).await;
    let crossed = is_refused(client, &passkey.get(&options)).await;
    // An answer to the other's challenge, where nobody knows the passkey.
    let mut refusals = vec![crossed];
    for authid in [Some("alice"), None] {
        let (client, options) = asked(&router, greeting("realm2", authid, None)).await;
        refusals.push(is_refused(client, &passkey.get(&options)).await);
    }
    assert_same(&refusals);
    assert_eq!(
        router.whys(3).await,
        [
            "webauthn: the challenge that was answered is another one",
            "webauthn: the signature does not match",
            "webauthn: the signature does not match",
        ]
    );
}

#[tokio::test]
async fn t01_nobody_looks_like_somebody() {
    let router = House::new().start().await;
    let passkey = enrol(&router, "alice", 1).await;
    let shape = |options: &Dict| {
        let list = options
            .value("allowCredentials")
            .and_then(Value::as_list)
            .unwrap();
        let [one] = list else { panic!("{list:?}") };
        let mut one = one.as_dict().unwrap().clone();
        let length = one.text("id").unwrap().len();
        one.remove("id");
        let mut options = options.clone();
        options.remove("challenge");
        options.remove("allowCredentials");
        (one, length, options)
    };
    let mut seen = Vec::new();
    for authid in ["alice", "nobody"] {
        let (client, options) = asked_for(&router, authid).await;
        // Right but for the key: another authenticator that says it has that passkey.
        let mut forged = Passkey::new(9, RP, ORIGIN);
        forged.id = base64url(&ids(&options, "allowCredentials")[0]);
        forged.user_handle.clone_from(&passkey.user_handle);
        let refusal = is_refused(client, &forged.get(&options)).await;
        seen.push((shape(&options), refusal));
    }
    assert_eq!(seen[0], seen[1]);
    let records = router
        .log
        .take(2, |event| event.message() == "login refused")
        .await;
    for field in ["why", "steps"] {
        assert_eq!(records[0].text(field), records[1].text(field));
    }
    assert_eq!(
        records[0].text("why"),
        "webauthn: the signature does not match"
    );
}

#[tokio::test]
async fn nobody_has_the_same_passkey_each_time() {
    let router = House::new().start().await;
    let mut seen = Vec::new();
    for (realm, authid) in [
        ("realm1", "nobody"),
        ("realm1", "nobody"),
        ("realm1", "somebody"),
        ("realm2", "nobody"),
    ] {
        let (_, options) = asked(&router, greeting(realm, Some(authid), None)).await;
        seen.push(ids(&options, "allowCredentials"));
    }
    assert_eq!(seen[0].len(), 1);
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0] != seen[2] && seen[0] != seen[3] && seen[2] != seen[3]);
}

fn base64url(text: &str) -> Vec<u8> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[tokio::test]
async fn t21_a_passkey_that_ends_between_two_rounds_is_denied() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let (client, options) = asked_for(&router, "alice").await;
    remove(&router.deployment, "alice");
    let removed = is_refused(client, &passkey.get(&options)).await;

    let mut passkey = enrol(&router, "alice", 1).await;
    let (client, options) = asked_for(&router, "alice").await;
    let arguments = [
        "add",
        "realm1",
        "webauthn",
        "alice",
        "--role",
        "user",
        "--replace",
    ];
    router.deployment.credential(&arguments).unwrap();
    enrol(&router, "alice", 2).await;
    let replaced = is_refused(client, &passkey.get(&options)).await;

    // And a code that is taken back while its owner makes a passkey.
    let code = invite(&router.deployment, "realm1", "bob");
    let (client, options) = asked_to_enrol(&router, "bob", &code).await;
    remove(&router.deployment, "bob");
    let taken_back = is_refused(client, &Passkey::new(3, RP, ORIGIN).create(&options)).await;
    assert_same(&[removed, replaced, taken_back]);
}

#[tokio::test]
async fn answers_that_are_none_are_denied() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let code = invite(&router.deployment, "realm1", "alice");
    let mut refusals = Vec::new();
    for (authid, code) in [("alice", None), ("nobody", None), ("alice", Some(&*code))] {
        let greeting = || greeting("realm1", Some(authid), code);
        let (_, options) = asked(&router, greeting()).await;
        let assertion = passkey.get(&options);
        for signature in [
            "",
            "null",
            "[]",
            "{}",
            "{\"rawId\":",
            &assertion[..assertion.len() - 1],
            &assertion.replace("public-key", "password"),
            &assertion.replace("authenticatorData", "authenticatordata"),
            &format!("{assertion} "),
            &"x".repeat(15_000),
        ] {
            let (client, _) = asked(&router, greeting()).await;
            refusals.push(is_refused(client, signature).await);
        }
    }
    assert_same(&refusals);
    // A failed enrolment has not used up the code.
    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    is_welcome(
        client,
        &Passkey::new(2, RP, ORIGIN).create(&options),
        "alice",
    )
    .await;
}

#[tokio::test]
async fn a_passkey_can_be_the_second_factor() {
    const KEY: &str = "a key that is no password";
    let house = House::new();
    let settings = format!("settings = {{ rp = \"{RP}\", origins = [\"{ORIGIN}\"] }}");
    house.0.realm(
        "realm1",
        &format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"wampcra\", \"webauthn\"]\n\
             [[login]]\nsteps = [\"webauthn\"]\n[method.webauthn]\n{settings}\n"
        ),
    );
    house.0.component("wampcra", &Component::method("wampcra"));
    house.0.enrol(&Identity {
        realm: "realm1",
        kind: "wampcra",
        authid: "alice",
        role: "user",
        secret: KEY,
        options: &["--plain"],
    });
    let router = house.start().await;
    let mut alices = enrol(&router, "alice", 1).await;
    let mut bobs = enrol(&router, "bob", 2).await;
    for (passkey, is_hers) in [(&mut alices, true), (&mut bobs, false)] {
        let greeting = hello("realm1", &["wampcra"], Some("alice"));
        let mut client = Client::greet(&router, greeting).await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, KEY)).await;
        let Message::Challenge { extra, .. } = client.receive().await else {
            panic!("no second challenge")
        };
        assert_eq!(ids(&extra, "allowCredentials").len(), 1);
        if is_hers {
            is_welcome(client, &passkey.get(&extra), "alice").await;
        } else {
            is_refused(client, &passkey.get(&extra)).await;
        }
    }
}

#[tokio::test]
async fn passkeys_of_one_person_have_one_role() {
    let router = House::new().start().await;
    enrol(&router, "alice", 1).await;
    let add = ["add", "realm1", "webauthn", "alice", "--role", "admin"];
    let refused = router.deployment.credential(&add).unwrap_err();
    assert!(
        refused.contains("alice has passkeys with the role user"),
        "{refused}"
    );
}
