//! A method that signs challenges like a good one, but for the one thing that its settings ask for.

#![expect(
    clippy::unwrap_used,
    reason = "what a method should not do is what this one does"
)]

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    hint::black_box,
};

use countersign_guest::{
    Answer, Attempt, Challenge, Manifest, Method, Verdict,
    credentials::{Credential, Hash, find},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// As keys of WAMP-CRA are kept.
const KIND: &str = "wampcra";

#[derive(Debug, Deserialize)]
struct Careless {
    does: Deed,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Behave,
    DenyEveryone,
    NeverAnswer,
    UseRandomnessOfItsOwn,
    ChooseTheChallenge,
    ForgetTheNonce,
    IgnoreTheCredentials,
    TurnStrangersAway,
    WorkHarderForAlice,
    AskMoreForAlice,
    TrustAuthextra,
    TrustTheAnswer,
    TrustTheState,
    AcceptAnything,
    BelieveTheStepBefore,
    RepeatTheAnswer,
    AskForEver,
}

impl Method for Careless {
    const MANIFEST: Manifest = Manifest {
        name: "careless",
        version: "1",
        summary: "is careless in one way",
        credential_kinds: &[KIND],
    };

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let authid = user(attempt);
        let mut nonce = attempt.nonce.clone();
        let mut salt = 0;
        match self.does {
            Deed::DenyEveryone => return Ok(Verdict::deny("no")),
            Deed::NeverAnswer => loop {
                black_box(salt);
            },
            Deed::UseRandomnessOfItsOwn => salt = RandomState::new().build_hasher().finish(),
            Deed::ChooseTheChallenge => nonce = vec![7; 32],
            Deed::TurnStrangersAway if authid != "alice" => {
                return Ok(Verdict::deny("never heard of them"));
            }
            Deed::WorkHarderForAlice if authid == "alice" => {
                for number in 0..1000 {
                    black_box(number);
                }
            }
            Deed::AskMoreForAlice if authid == "alice" => _ = find(KIND, "alice").parameters(),
            Deed::TrustAuthextra => {
                let members: Map<String, Value> = attempt.authextra()?;
                if let Some(Value::Array(items)) = members.get("conform") {
                    assert!(items.is_empty(), "a list that is not empty");
                }
            }
            _ => {}
        }
        let extra = json!({ "challenge": hex::encode(&nonce), "salt": salt });
        Ok(Challenge::new(&extra)?.with_state(nonce).into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let authid = user(attempt);
        let credential = find(KIND, &authid);
        let signature = &answer.signature;
        match self.does {
            Deed::TrustTheAnswer => _ = hex::decode(signature).unwrap(),
            Deed::TrustTheState => _ = <[u8; 32]>::try_from(&*answer.state).unwrap(),
            Deed::AcceptAnything => return Ok(accept(&credential)),
            Deed::AskForEver => return self.begin(attempt),
            Deed::RepeatTheAnswer if !is_right(&credential, &answer.state, signature) => {
                return Ok(Verdict::deny(format!("{signature} does not fit")));
            }
            Deed::IgnoreTheCredentials if signature == "open sesame" => {
                return Ok(accept(&credential));
            }
            Deed::BelieveTheStepBefore => {
                let claimed = attempt.authid.clone().unwrap_or_default();
                let claimed = find(KIND, &claimed);
                if is_right(&claimed, &answer.state, signature) {
                    return Ok(accept(&credential));
                }
            }
            Deed::ForgetTheNonce if is_right(&credential, b"always the same", signature) => {
                return Ok(accept(&credential));
            }
            _ => {}
        }
        if is_right(&credential, &answer.state, signature) {
            return Ok(accept(&credential));
        }
        Ok(Verdict::deny("the signature does not fit"))
    }
}

/// Whom the step before has found, else whom the client says it is.
fn user(attempt: &Attempt) -> String {
    let proven = attempt.proven.last().map(|proof| proof.authid.clone());
    proven
        .or_else(|| attempt.authid.clone())
        .unwrap_or_default()
}

fn is_right(credential: &Credential, message: &[u8], signature: &str) -> bool {
    let tag = hex::decode(signature).unwrap_or_default();
    credential.verify_hmac(Hash::Sha256, message, &tag)
}

fn accept(credential: &Credential) -> Verdict {
    Verdict::accept(credential.authid(), credential.authrole())
}

countersign_guest::export!(Careless);
