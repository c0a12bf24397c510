//! What the stories are told with.

use std::fs;

use countersign::wamp::{Dict, Message, Value, reason};
use countersign_tests::{Client, Component, Deployment, Passkey, Refusal, Router, answer, hello};

pub(crate) const RP: &str = "example.org";
pub(crate) const ORIGIN: &str = "https://example.org";

/// A router with two realms whose passkeys belong to the same website.
pub(crate) struct House(pub(crate) Deployment);

impl House {
    pub(crate) fn new() -> Self {
        Self::at(RP, ORIGIN)
    }

    pub(crate) fn at(rp: &str, origin: &str) -> Self {
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

    pub(crate) async fn start(self) -> Router {
        self.0.start().await
    }
}

/// Has a code made, as an operator does.
pub(crate) async fn invite(deployment: &Deployment, realm: &str, authid: &str) -> String {
    let words = format!("add {realm} webauthn {authid} --role user");
    let printed = operate(deployment, &words).await;
    let code = printed.lines().find_map(|line| line.strip_prefix("  "));
    code.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

pub(crate) async fn remove(deployment: &Deployment, authid: &str) {
    operate(deployment, &format!("remove realm1 webauthn {authid}")).await;
}

/// Has `countersign credential` do something, and returns what it says.
pub(crate) async fn operate(deployment: &Deployment, words: &str) -> String {
    let (done, said) = deployment.credential(words).await;
    assert!(done, "{words}: {said}");
    said
}

/// HELLO, with an enrolment code if there is one.
pub(crate) fn greeting(realm: &str, authid: Option<&str>, code: Option<&str>) -> Message {
    let Message::Hello { realm, mut details } = hello(realm, &["webauthn"], authid) else {
        unreachable!()
    };
    if let Some(code) = code {
        details.insert("authextra", Dict::new().with("enrolment", code));
    }
    Message::Hello { realm, details }
}

/// A client that is asked for a passkey, and the options.
pub(crate) async fn asked(router: &Router, greeting: Message) -> (Client, Dict) {
    let mut client = Client::greet(router, greeting).await;
    match client.receive().await {
        Message::Challenge { method, extra } if method == "webauthn" => (client, extra),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn asked_for(router: &Router, authid: &str) -> (Client, Dict) {
    asked(router, greeting("realm1", Some(authid), None)).await
}

pub(crate) async fn asked_to_enrol(router: &Router, authid: &str, code: &str) -> (Client, Dict) {
    asked(router, greeting("realm1", Some(authid), Some(code))).await
}

pub(crate) async fn is_welcome(mut client: Client, signature: &str, authid: &str) {
    client.send(&answer(signature)).await;
    let Message::Welcome { details, .. } = client.receive().await else {
        panic!("{authid} is not welcome with {signature}")
    };
    assert_eq!(details.text("authid"), Some(authid));
    assert_eq!(details.text("authrole"), Some("user"));
}

pub(crate) async fn is_refused(mut client: Client, signature: &str) -> Refusal {
    client.send(&answer(signature)).await;
    client.refusal().await
}

/// Makes somebody's passkey. Others have another number.
pub(crate) async fn enrol(router: &Router, authid: &str, number: u8) -> Passkey {
    let code = invite(&router.deployment, "realm1", authid).await;
    let mut passkey = Passkey::new(number, RP, ORIGIN);
    let (client, options) = asked_to_enrol(router, authid, &code).await;
    is_welcome(client, &passkey.create(&options), authid).await;
    passkey
}

pub(crate) async fn logs_in(router: &Router, authid: &str, passkey: &mut Passkey) {
    let (client, options) = asked_for(router, authid).await;
    is_welcome(client, &passkey.get(&options), authid).await;
}

pub(crate) async fn fails(router: &Router, authid: &str, passkey: &mut Passkey) -> Refusal {
    let (client, options) = asked_for(router, authid).await;
    is_refused(client, &passkey.get(&options)).await
}

/// All that is said to whoever is denied.
pub(crate) fn assert_same(refusals: &[Refusal]) {
    for refusal in refusals {
        assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
        assert_eq!(refusal, &refusals[0]);
    }
}

/// The ids in `allowCredentials` or `excludeCredentials`.
pub(crate) fn ids(options: &Dict, list: &str) -> Vec<String> {
    let list = options.value(list).and_then(Value::as_list).unwrap();
    let ids = list
        .iter()
        .map(|one| one.as_dict().unwrap().text("id").unwrap());
    ids.map(str::to_owned).collect()
}
