use super::*;
use crate::wamp::{Code, Payload};

/// One of each kind that no client may send before WELCOME.
#[expect(clippy::too_many_lines, reason = "one of each")]
pub(super) fn messages_out_of_place() -> Vec<Message> {
    let [request, publication, subscription, registration] = [Id::MIN; 4];
    let [details, options, extra] = [Dict::new(), Dict::new(), Dict::new()];
    let text = || "a".to_owned();
    vec![
        Message::Welcome {
            session: Id::MIN,
            details: details.clone(),
        },
        Message::Abort {
            details: details.clone(),
            reason: text(),
        },
        Message::Challenge {
            method: text(),
            extra,
        },
        Message::Goodbye {
            details: details.clone(),
            reason: text(),
        },
        Message::Error {
            kind: Code::Call,
            request,
            details: details.clone(),
            error: text(),
            payload: Payload::NONE,
        },
        Message::Publish {
            request,
            options: options.clone(),
            topic: text(),
            payload: Payload::NONE,
        },
        Message::Published {
            request,
            publication,
        },
        Message::Subscribe {
            request,
            options: options.clone(),
            topic: text(),
        },
        Message::Subscribed {
            request,
            subscription,
        },
        Message::Unsubscribe {
            request,
            subscription,
        },
        Message::Unsubscribed { request },
        Message::Event {
            subscription,
            publication,
            details: details.clone(),
            payload: Payload::NONE,
        },
        Message::Call {
            request,
            options: options.clone(),
            procedure: text(),
            payload: Payload::NONE,
        },
        Message::Cancel {
            request,
            options: options.clone(),
        },
        Message::Result {
            request,
            details: details.clone(),
            payload: Payload::NONE,
        },
        Message::Register {
            request,
            options: options.clone(),
            procedure: text(),
        },
        Message::Registered {
            request,
            registration,
        },
        Message::Unregister {
            request,
            registration,
        },
        Message::Unregistered { request },
        Message::Invocation {
            request,
            registration,
            details,
            payload: Payload::NONE,
        },
        Message::Interrupt {
            request,
            options: options.clone(),
        },
        Message::Yield {
            request,
            options,
            payload: Payload::NONE,
        },
    ]
}

/// T08: none of them, in no state of a login, leads to anything but its end.
#[test]
fn t08_a_message_out_of_place_ends_the_login_wherever_it_is() {
    for message in messages_out_of_place() {
        let expected = match message {
            Message::Abort { .. } => None,
            _ => Some(Refusal::ProtocolViolation),
        };
        let before_hello = login();
        let mut asking = login();
        called(self::asked(&mut asking, &["a"], policy(&[&["a"]])));
        let mut waiting = login();
        called(self::asked(&mut waiting, &["a"], policy(&[&["a"]])));
        assert!(matches!(
            waiting.decide(Ok(challenge()), NOW),
            Effect::Send(_)
        ));
        for (mut login, is_first) in [(before_hello, true), (asking, false), (waiting, false)] {
            let effect = login.receive(message.clone(), NOW);
            match (&expected, is_first) {
                (None, false) => {
                    assert!(matches!(effect, Effect::End(Outcome::Left)), "{message:?}");
                }
                // Also an ABORT: nothing has begun that could be given up.
                _ => assert_eq!(refused(effect), Refusal::ProtocolViolation, "{message:?}"),
            }
        }
    }
}
