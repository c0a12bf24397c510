use proptest::{collection, prelude::*};

use bytes::Bytes;

use super::*;
use crate::{Malformed, Serializer, Value};

fn json(text: &str) -> Result<Message, Malformed> {
    Message::decode(
        Serializer::Json,
        &Bytes::copy_from_slice(text.as_bytes()),
        16,
    )
}

#[test]
fn the_specification_samples_are_read() {
    let details = Dict::new().with(
        "roles",
        Dict::new()
            .with("subscriber", Dict::new())
            .with("publisher", Dict::new()),
    );
    assert_eq!(
        json(r#"[1, "com.example.realm", {"roles": {"subscriber": {}, "publisher": {}}}]"#),
        Ok(Message::Hello {
            realm: "com.example.realm".into(),
            details
        })
    );
    assert_eq!(
        json(r#"[4,"wampcra",{}]"#),
        Ok(Message::Challenge {
            method: "wampcra".into(),
            extra: Dict::new()
        })
    );
}

#[test]
fn what_is_not_a_message_is_refused_with_what_is_wrong() {
    for (text, error) in [
        ("", Malformed::Syntax),
        ("{}", Malformed::Syntax),
        ("[1,\"r\",{}] ]", Malformed::Syntax),
        ("[1,\"r\",{}", Malformed::Syntax),
        ("[]", Malformed::WrongLength),
        ("[9999]", Malformed::UnknownCode),
        ("[true]", Malformed::WrongType),
        ("[1,\"r\"]", Malformed::WrongLength),
        ("[1,\"r\",{},1]", Malformed::WrongLength),
        ("[1,17,{}]", Malformed::WrongType),
        ("[1,\"r\",[]]", Malformed::WrongType),
        ("[48,0,{},\"a.b\"]", Malformed::WrongType),
        ("[48,9007199254740993,{},\"a.b\"]", Malformed::WrongType),
        ("[48,1,{},\"a.b\",{}]", Malformed::WrongType),
        ("[48,1,{},\"a.b\",[],[]]", Malformed::WrongType),
        ("[48,1,{},\"a.b\",[],{},1]", Malformed::WrongLength),
    ] {
        assert_eq!(json(text), Err(error), "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_in_every_serialization() {
    let json = format!(
        "[1,\"r\",{{\"a\":{}{}}}]",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let msgpack = [
        &[0x93, 1, 0xa1, b'r', 0x81, 0xa1, b'a'][..],
        &[0x91; 10_000],
        &[0xc0],
    ]
    .concat();
    let cbor = [
        &[0x83, 1, 0x61, b'r', 0xa1, 0x61, b'a'][..],
        &[0x81; 10_000],
        &[0xf6],
    ]
    .concat();
    let frames = [json.into_bytes(), msgpack, cbor];
    for (serializer, frame) in Serializer::ALL.into_iter().zip(frames) {
        let decoded = Message::decode(serializer, &frame.into(), 16);
        assert_eq!(decoded, Err(Malformed::TooDeep), "{serializer:?}");
    }
}

#[test]
fn dictionaries_are_bounded_before_arguments_are() {
    let nested = |depth| {
        format!(
            "[1,\"r\",{}{}]",
            "{\"a\":".repeat(depth),
            "1".to_owned() + &"}".repeat(depth)
        )
    };
    assert!(json(&nested(16)).is_ok());
    assert!(json(&nested(17)).is_err());
}

#[test]
fn a_length_that_the_frame_does_not_have_takes_no_memory() {
    // 2^32 - 1 elements, 2^32 - 1 octets, 2^64 - 1 elements.
    for (serializer, frame) in [
        (Serializer::MsgPack, &[0xdd, 0xff, 0xff, 0xff, 0xff, 1][..]),
        (
            Serializer::MsgPack,
            &[0x93, 1, 0xdb, 0xff, 0xff, 0xff, 0xff, b'r'],
        ),
        (
            Serializer::Cbor,
            &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ),
        (
            Serializer::Cbor,
            &[
                0x83, 1, 0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
        ),
    ] {
        let decoded = Message::decode(serializer, &Bytes::copy_from_slice(frame), 16);
        assert_eq!(decoded, Err(Malformed::Syntax));
    }
}

#[test]
fn quirks_of_wampy_are_understood() {
    // Ids as floats in CBOR: [34, 1.0, 7.0].
    let frame = [
        &[0x83, 0x18, 34, 0xfb][..],
        &1.0_f64.to_be_bytes(),
        &[0xfb],
        &7.0_f64.to_be_bytes(),
    ];
    assert_eq!(
        Message::decode(Serializer::Cbor, &frame.concat().into(), 16),
        Ok(Message::Unsubscribe {
            request: Id::MIN,
            subscription: Id::new(7).unwrap()
        })
    );
    // An unset option as an extension in MessagePack: [32, 1, {"match": ext}, "a"].
    let frame = [
        &[0x94, 32, 1, 0x81, 0xa5][..],
        b"match",
        &[0xd4, 0, 0, 0xa1, b'a'],
    ]
    .concat();
    assert_eq!(
        Message::decode(Serializer::MsgPack, &frame.into(), 16),
        Ok(Message::Subscribe {
            request: Id::MIN,
            options: Dict::new().with("match", Value::Null),
            topic: "a".into()
        })
    );
}

#[test]
fn more_of_cbor_than_wamp_needs_is_understood() {
    // [32, 1, {"match": undefined, "x": half 1.5, "y": tag 32 around "u"}, "a"] in pieces.
    let frame = [
        &[0x84, 0x18, 32, 1, 0xbf, 0x65][..],
        b"match",
        &[
            0xf7, 0x61, b'x', 0xf9, 0x3e, 0, 0x61, b'y', 0xd8, 32, 0x61, b'u', 0xff,
        ],
        &[0x7f, 0x60, 0x61, b'a', 0xff],
    ];
    assert_eq!(
        Message::decode(Serializer::Cbor, &frame.concat().into(), 16),
        Ok(Message::Subscribe {
            request: Id::MIN,
            options: Dict::new()
                .with("match", Value::Null)
                .with("x", Value::Float(1.5))
                .with("y", "u"),
            topic: "a".into()
        })
    );
}

#[test]
fn a_cbor_break_without_a_beginning_is_no_value() {
    for frame in [
        &[0x82, 0x18, 35, 0xff][..],
        &[0x9f, 0x18, 35, 1],
        &[0x82, 0x18, 35, 0x81, 0xff],
    ] {
        let decoded = Message::decode(Serializer::Cbor, &Bytes::copy_from_slice(frame), 16);
        assert_eq!(decoded, Err(Malformed::Syntax));
    }
    let indefinite = [0x9f, 0x18, 35, 1, 0xff];
    assert_eq!(
        Message::decode(Serializer::Cbor, &Bytes::copy_from_slice(&indefinite), 16),
        Ok(Message::Unsubscribed { request: Id::MIN })
    );
}

#[test]
fn octets_in_json_follow_the_convention() {
    // The vector of `advanced/serialization_binary_json.md`.
    let octets = hex::decode("10e3ff9053075c526f5fc06d4fe37cdb").unwrap();
    let payload = Payload::list(vec![Value::Binary(octets.clone())]);
    let event = |payload| Message::Event {
        subscription: Id::MIN,
        publication: Id::MIN,
        details: Dict::new(),
        payload,
    };
    let frame = event(payload).encode(Serializer::Json).unwrap();
    assert_eq!(frame, r#"[36,1,1,{},["\u0000EOP/kFMHXFJvX8BtT+N82w=="]]"#);
    let Ok(Message::Event { payload, .. }) = Message::decode(Serializer::Json, &frame, 16) else {
        panic!("an event");
    };
    let packed = event(payload).encode(Serializer::MsgPack).unwrap();
    let Ok(Message::Event { payload, .. }) = Message::decode(Serializer::MsgPack, &packed, 16)
    else {
        panic!("an event");
    };
    assert_eq!(payload.arguments(), Ok(vec![Value::Binary(octets)]));
}

#[test]
fn arguments_are_passed_on_octet_by_octet() {
    let odd = r#"[48,1,{},"a.b",[ 1.50 , "\u0041" ],{"k" :[]}]"#;
    let Ok(Message::Call { payload, .. }) = json(odd) else {
        panic!("a call")
    };
    let invocation = Message::Invocation {
        request: Id::MIN,
        registration: Id::MIN,
        details: Dict::new(),
        payload,
    };
    let frame = invocation.encode(Serializer::Json).unwrap();
    assert_eq!(frame, r#"[68,1,1,{},[ 1.50 , "\u0041" ],{"k" :[]}]"#);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (i64::MAX as u64 + 1..).prop_map(Value::UInt),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Value::Float),
        "[^\0]{0,8}".prop_map(Value::Text),
        collection::vec(any::<u8>(), 0..8).prop_map(Value::Binary),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|members| Value::Dict(members.into_iter().collect())),
        ]
    })
}

fn serializer() -> impl Strategy<Value = Serializer> {
    prop::sample::select(&Serializer::ALL[..])
}

/// JSON cannot tell 1.0 from 1 for every writer, so floats are compared as numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Dict(a), Value::Dict(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|((k, a), (l, b))| k == l && same(a, b))
        }
        (Value::Float(a), Value::Float(b)) => (a - b).abs() <= a.abs() * 1e-15,
        _ => a == b,
    }
}

proptest! {
    #[test]
    fn any_arguments_survive_any_pair_of_serializations(
        list in collection::vec(value(), 0..4), from in serializer(), into in serializer(),
    ) {
        let result = |payload| Message::Result { request: Id::MIN, details: Dict::new(), payload };
        let mut message = result(Payload::list(list.clone()));
        for serializer in [from, into, from] {
            let frame = message.encode(serializer).unwrap();
            message = Message::decode(serializer, &frame, 16).unwrap();
        }
        let Message::Result { payload, .. } = message else { panic!("a result") };
        prop_assert!(same(&Value::List(payload.arguments().unwrap()), &Value::List(list)));
    }

    #[test]
    fn no_octets_make_the_reader_fall_over(
        octets in collection::vec(any::<u8>(), 0..256), serializer in serializer(),
    ) {
        let frame = Bytes::from(octets);
        if let Ok(message) = Message::decode(serializer, &frame, 16) {
            // What was accepted is a message, but its arguments may still prove unreadable.
            _ = message.encode(Serializer::Json);
        }
    }

    #[test]
    fn a_frame_with_one_octet_changed_does_not_make_the_reader_fall_over(
        list in collection::vec(value(), 0..4), serializer in serializer(),
        at in any::<prop::sample::Index>(), octet: u8,
    ) {
        let message = Message::Call {
            request: Id::MIN,
            options: Dict::new().with("timeout", 5_u64),
            procedure: "com.example.add2".into(),
            payload: Payload::list(list),
        };
        let mut frame = message.encode(serializer).unwrap().to_vec();
        let at = at.index(frame.len());
        frame[at] = octet;
        if let Ok(message) = Message::decode(serializer, &frame.into(), 16) {
            _ = message.encode(Serializer::MsgPack);
        }
    }
}
