use std::future;

use parking_lot::Mutex;

use super::*;

/// Whoever is called: it keeps what it is told, and answers that; none: never.
#[derive(Default)]
struct Callee {
    told: Mutex<Vec<Value>>,
    answer: Option<Value>,
}

impl Callees for Callee {
    fn call<'a>(&'a self, _procedure: &'a str, arguments: Payload) -> Calling<'a> {
        *self.told.lock() = arguments.arguments().unwrap();
        match self.answer.clone() {
            Some(answer) => Box::pin(future::ready(Ok(answer))),
            None => Box::pin(future::pending()),
        }
    }
}

fn procedures(callee: &Arc<Callee>, timeout: Duration) -> Procedures {
    Procedures {
        caller: "acme".into(),
        realm: "admin".into(),
        allow: BTreeSet::new(),
        timeout,
        callees: Arc::clone(callee) as Arc<dyn Callees>,
        turns: Arc::new(Semaphore::new(1)),
    }
}

#[tokio::test]
async fn t19_the_host_says_which_realm_asks() {
    let callee = Arc::new(Callee {
        answer: Some(Value::from("user")),
        ..Callee::default()
    });
    let procedures = procedures(&callee, Duration::from_mins(1));
    let details = Dict::new().with("ticket", "secret!!!");
    let answer = procedures.ask("com.a", Some("alice".into()), details.clone());
    assert_eq!(answer.await.as_deref(), Ok("\"user\""));
    let told = [Value::from("acme"), Value::from("alice"), details.into()];
    assert_eq!(*callee.told.lock(), told);

    procedures.ask("com.a", None, Dict::new()).await.unwrap();
    assert_eq!(callee.told.lock().get(1), Some(&Value::Null));
}

#[tokio::test]
async fn a_callee_that_never_answers_is_not_waited_for_longer_than_the_realm_says() {
    let timeout = Duration::from_millis(1);
    let procedures = procedures(&Arc::default(), timeout);
    let answer = procedures.ask("com.a", None, Dict::new()).await;
    assert_eq!(answer, Err(Unsuccessful::Late(timeout)));
}

#[test]
fn a_callees_words_are_cut_to_a_line() {
    assert_eq!(shortened("short"), "short");
    let long = "ä".repeat(LONGEST_WORDS + 1);
    assert_eq!(shortened(&long).chars().count(), LONGEST_WORDS + 1);
    assert!(shortened(&long).ends_with("ä…"));
}
