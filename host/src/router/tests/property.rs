use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

const URIS: [&str; 6] = ["com.a", "com.a.b", "com.", "com..b", "wamp.x", "org.a"];
const POLICIES: [&str; 3] = ["exact", "prefix", "wildcard"];
const INVOKE: [&str; 5] = ["single", "roundrobin", "random", "first", "last"];
const MODES: [&str; 3] = ["skip", "kill", "killnowait"];

/// What one of the clients does next. Answers are numbered among the invocations that it got.
#[derive(Clone, Copy, Debug)]
enum Step {
    Subscribe(usize, usize),
    Unsubscribe(u64),
    Publish(usize, bool),
    Register(usize, usize, usize),
    Unregister(u64),
    Call(usize, bool),
    Cancel(u64, usize),
    Yield(u64, bool),
    Error(u64),
    /// An answer to an invocation that was never made.
    Nonsense,
    Leave,
    /// The router calls a procedure itself.
    Inquire(usize, bool),
    /// It gives up the last such call, answered or not.
    Withdraw,
}

fn step() -> impl Strategy<Value = Step> {
    let (uri, small) = (0..URIS.len(), 1..8_u64);
    prop_oneof![
        1 => (uri.clone(), 0..3_usize).prop_map(|(uri, policy)| Step::Subscribe(uri, policy)),
        1 => small.clone().prop_map(Step::Unsubscribe),
        1 => (uri.clone(), any::<bool>()).prop_map(|(uri, flag)| Step::Publish(uri, flag)),
        1 => (uri.clone(), 0..3_usize, 0..5_usize).prop_map(|(uri, p, i)| Step::Register(uri, p, i)),
        1 => small.clone().prop_map(Step::Unregister),
        4 => (uri.clone(), any::<bool>()).prop_map(|(uri, flag)| Step::Call(uri, flag)),
        2 => (uri, any::<bool>()).prop_map(|(uri, flag)| Step::Inquire(uri, flag)),
        1 => Just(Step::Withdraw),
        1 => (1..20_u64, 0..3_usize).prop_map(|(request, mode)| Step::Cancel(request, mode)),
        4 => (1..20_u64, any::<bool>()).prop_map(|(request, flag)| Step::Yield(request, flag)),
        1 => (1..20_u64).prop_map(Step::Error),
        1 => prop_oneof![Just(Step::Nonsense), Just(Step::Leave)],
    ]
}

fn act(client: &mut Client, step: Step) -> Result<(), Violation> {
    let request = client.requests.upcoming();
    let invocations = invocations(client);
    match step {
        Step::Yield(..) | Step::Error(_) if invocations == 0 => return Ok(()),
        Step::Yield(..) | Step::Error(_) | Step::Cancel(..) | Step::Nonsense => {}
        _ => {
            client.requests.issue();
        }
    }
    client.send(match step {
        Step::Subscribe(uri, policy) => Message::Subscribe {
            request,
            options: none().with("match", POLICIES[policy]),
            topic: URIS[uri].into(),
        },
        Step::Unsubscribe(subscription) => Message::Unsubscribe {
            request,
            subscription: id(subscription),
        },
        Step::Publish(uri, flag) => Message::Publish {
            request,
            options: none().with("acknowledge", flag).with("exclude_me", !flag),
            topic: URIS[uri].into(),
            payload: payload(),
        },
        Step::Register(uri, policy, invoke) => Message::Register {
            request,
            options: none()
                .with("match", POLICIES[policy])
                .with("invoke", INVOKE[invoke]),
            procedure: URIS[uri].into(),
        },
        Step::Unregister(registration) => Message::Unregister {
            request,
            registration: id(registration),
        },
        Step::Call(uri, flag) => Message::Call {
            request,
            options: none().with("receive_progress", flag),
            procedure: URIS[uri].into(),
            payload: if flag { payload() } else { unreadable() },
        },
        Step::Cancel(request, mode) => Message::Cancel {
            request: id(request),
            options: none().with("mode", MODES[mode]),
        },
        Step::Yield(number, flag) => Message::Yield {
            request: id(1 + number % invocations),
            options: none().with("progress", flag),
            payload: payload(),
        },
        Step::Error(number) => Message::Error {
            kind: Code::Invocation,
            request: id(1 + number % invocations),
            details: none(),
            error: "com.oops".into(),
            payload: unreadable(),
        },
        Step::Nonsense => Message::Yield {
            request: Id::MAX,
            options: none(),
            payload: payload(),
        },
        Step::Leave | Step::Inquire(..) | Step::Withdraw => {
            unreachable!("handled by who runs the steps")
        }
    })
}

/// How many it got so far.
fn invocations(client: &Client) -> u64 {
    let inbox = client.inbox.0.lock();
    let frames = inbox.iter();
    let messages = frames.map(|frame| Message::decode(client.serializer, frame, 16));
    messages
        .filter(|message| matches!(message, Ok(Message::Invocation { .. })))
        .count() as u64
}

/// Final answers by request, and a check that an ended call is not heard of again.
fn final_answers(client: &Client) -> HashMap<Id, usize> {
    let mut answers = HashMap::new();
    while let Some(message) = client.heard() {
        match message {
            Message::Result {
                request, details, ..
            } => {
                assert!(
                    !answers.contains_key(&request),
                    "an answer after the final one"
                );
                if details.value("progress").is_none() {
                    *answers.entry(request).or_default() += 1;
                }
            }
            Message::Error {
                kind: Code::Call,
                request,
                ..
            } => *answers.entry(request).or_default() += 1,
            _ => {}
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_call_is_pending_or_answered_once_and_nothing_is_left_behind(
        steps in proptest::collection::vec((0..4_usize, step()), 1..120)
    ) {
        let mut realm = Realm::new();
        let mut clients = [
            realm.join("a"),
            realm.join_able("b"),
            realm.join_able("c"),
            realm.join_as("d", "user", Serializer::Cbor, Features::default()),
        ];
        let router = realm.router.clone();
        let mut inquiries = Vec::new();
        let mut left = HashSet::new();
        let mut calls: [Vec<Id>; 4] = Default::default();
        for (who, step) in steps {
            match step {
                Step::Inquire(uri, flag) => {
                    let payload = if flag { payload() } else { unreadable() };
                    inquiries.extend(router.inquire(URIS[uri].into(), payload));
                    continue;
                }
                Step::Withdraw => {
                    inquiries.pop();
                    continue;
                }
                _ => {}
            }
            let client = &mut clients[who];
            if left.contains(&who) {
                prop_assert_eq!(act(client, Step::Cancel(1, 0)), Err(Violation::NotJoined));
                continue;
            }
            let request = client.requests.upcoming();
            if matches!(step, Step::Call(..)) {
                calls[who].push(request);
            }
            let leaves = matches!(step, Step::Leave);
            if leaves || act(client, step).is_err() {
                realm.router.leave(client.id);
                left.insert(who);
            }
            let census = realm.router.census();
            prop_assert_eq!(census.calls + census.inquiries, census.invocations);
            prop_assert!(census.inquiries <= inquiries.len());
        }

        let mut pending = 0;
        for (who, client) in clients.iter().enumerate().filter(|(who, _)| !left.contains(who)) {
            let answers = final_answers(client);
            prop_assert!(answers.values().all(|count| *count == 1));
            prop_assert!(answers.keys().all(|request| calls[who].contains(request)));
            pending += calls[who].len() - answers.len();
        }
        prop_assert_eq!(realm.router.census().calls, pending);

        drop(inquiries);
        prop_assert_eq!(realm.router.census().inquiries, 0);
        for client in &clients {
            realm.router.leave(client.id);
        }
        prop_assert_eq!(realm.router.census(), Census::default());
    }
}
