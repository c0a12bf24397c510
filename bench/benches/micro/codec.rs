//! Reading and writing messages, in each serialization.

use std::hint::black_box;

use bytes::Bytes;
use countersign::wamp::{Dict, Id, Message, Payload, Serializer, Value};
use criterion::Criterion;

const NESTING: usize = 32;

fn messages() -> [(&'static str, Message); 3] {
    let roles: Dict = ["caller", "callee", "publisher", "subscriber"]
        .map(|role| (role.to_owned(), Value::from(Dict::new())))
        .into_iter()
        .collect();
    let hello = Message::Hello {
        realm: "realm1".into(),
        details: Dict::new()
            .with("authid", "alice")
            .with("authmethods", vec![Value::from("wampcra")])
            .with("roles", roles),
    };
    let id = |number| Id::new(number).expect("it is one");
    let call = Message::Call {
        request: id(4711),
        options: Dict::new(),
        procedure: "com.example.bench".into(),
        payload: Payload::list(vec!["0123456789abcdef".repeat(4).into()]),
    };
    let event = Message::Event {
        subscription: id(7),
        publication: id(1 << 52),
        details: Dict::new(),
        payload: Payload::list(vec!["0123456789abcdef".repeat(4).into()]),
    };
    [("HELLO", hello), ("CALL", call), ("EVENT", event)]
}

/// Read from its own serialization, so that the payload is passed on as it is.
fn read(serializer: Serializer, frame: &Bytes) -> Message {
    Message::decode(serializer, frame, NESTING).expect("it was written by us")
}

pub fn codec(c: &mut Criterion) {
    for serializer in Serializer::ALL {
        for (name, message) in messages() {
            let frame = message.encode(serializer).expect("the payload is ours");
            let message = read(serializer, &frame);
            c.bench_function(&format!("codec: read {name}, {serializer:?}"), |b| {
                b.iter(|| read(serializer, black_box(&frame)));
            });
            c.bench_function(&format!("codec: write {name}, {serializer:?}"), |b| {
                b.iter(|| black_box(&message).encode(serializer));
            });
        }
    }
}
