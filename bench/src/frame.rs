//! WAMP messages of the few shapes that are needed here, cheaply.
//!
//! Every one begins with a code and ids. What follows is the same each time, so it is serialized
//! once and is called the tail: all elements from there on, and in JSON the closing bracket.

use std::io::Write;

use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serializer {
    Json,
    MsgPack,
}

pub const WELCOME: u64 = 2;
pub const CHALLENGE: u64 = 4;
pub const PUBLISH: u64 = 16;
pub const SUBSCRIBE: u64 = 32;
pub const SUBSCRIBED: u64 = 33;
pub const EVENT: u64 = 36;
pub const CALL: u64 = 48;
pub const RESULT: u64 = 50;
pub const REGISTER: u64 = 64;
pub const REGISTERED: u64 = 65;
pub const INVOCATION: u64 = 68;
pub const YIELD: u64 = 70;

/// What a client of ours can do.
const ROLES: [&str; 4] = ["caller", "callee", "publisher", "subscriber"];

/// The one topic and the one procedure.
pub const URI: &str = "com.example.bench";

/// Arguments of calls and events: one text of 64 characters.
const ARGUMENT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

impl Serializer {
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "wamp.2.json",
            Self::MsgPack => "wamp.2.msgpack",
        }
    }

    pub fn from_subprotocol(name: &str) -> Option<Self> {
        [Self::Json, Self::MsgPack]
            .into_iter()
            .find(|serializer| serializer.subprotocol() == name)
    }

    /// An empty dictionary, the URI, and, if wanted, arguments.
    pub fn uri_tail(self, with_arguments: bool) -> Vec<u8> {
        let mut tail = self.uri_prefix();
        if with_arguments {
            tail.extend(self.arguments());
        } else if self == Self::Json {
            *tail.last_mut().expect("it ends with a comma") = b']';
        }
        tail
    }

    /// An empty dictionary and arguments.
    pub fn arguments_tail(self) -> Vec<u8> {
        [self.empty_dict(), &self.arguments()].concat()
    }

    /// What stands before the arguments in CALL and PUBLISH of ours.
    pub fn uri_prefix(self) -> Vec<u8> {
        match self {
            Self::Json => format!("{{}},\"{URI}\",").into_bytes(),
            Self::MsgPack => {
                let mut prefix = vec![0x80];
                msgpack_text(&mut prefix, URI);
                prefix
            }
        }
    }

    /// What stands before the arguments in the messages that have no URI.
    pub const fn empty_dict(self) -> &'static [u8] {
        match self {
            Self::Json => b"{},",
            Self::MsgPack => &[0x80],
        }
    }

    fn arguments(self) -> Vec<u8> {
        match self {
            Self::Json => format!("[\"{ARGUMENT}\"]]").into_bytes(),
            Self::MsgPack => {
                let mut arguments = vec![0x91];
                msgpack_text(&mut arguments, ARGUMENT);
                arguments
            }
        }
    }

    /// HELLO, with the details as JSON or MessagePack needs them.
    pub fn hello(self, realm: &str, authmethod: &str, authid: Option<&str>) -> Vec<u8> {
        match self {
            Self::Json => json_hello(realm, authmethod, authid, None),
            Self::MsgPack => {
                let mut hello = vec![0x93, 1];
                msgpack_text(&mut hello, realm);
                hello.push(0x82 + u8::from(authid.is_some()));
                msgpack_text(&mut hello, "roles");
                hello.push(0x84);
                for role in ROLES {
                    msgpack_text(&mut hello, role);
                    hello.push(0x80);
                }
                msgpack_text(&mut hello, "authmethods");
                hello.push(0x91);
                msgpack_text(&mut hello, authmethod);
                if let Some(authid) = authid {
                    msgpack_text(&mut hello, "authid");
                    msgpack_text(&mut hello, authid);
                }
                hello
            }
        }
    }

    /// Writes a message of `elements` elements in all.
    pub fn write(self, out: &mut Vec<u8>, elements: u8, head: &[u64], tail: &[&[u8]]) {
        match self {
            Self::Json => {
                out.push(b'[');
                for number in head {
                    _ = write!(out, "{number},");
                }
            }
            Self::MsgPack => {
                out.push(0x90 | elements);
                for number in head {
                    msgpack_unsigned(out, *number);
                }
            }
        }
        for part in tail {
            out.extend_from_slice(part);
        }
    }

    /// The first `N` elements, numbers all, and what follows them.
    pub fn head<const N: usize>(self, frame: &[u8]) -> Option<([u64; N], &[u8])> {
        let mut rest = frame.get(1..)?;
        let mut head = [0; N];
        for slot in &mut head {
            (*slot, rest) = match self {
                Self::Json => json_unsigned(rest)?,
                Self::MsgPack => msgpack_read(rest)?,
            };
        }
        Some((head, rest))
    }

    pub fn code(self, frame: &[u8]) -> Option<u64> {
        self.head(frame).map(|([code], _)| code)
    }
}

/// HELLO in JSON, with what some methods have to say already there.
pub fn json_hello(
    realm: &str,
    authmethod: &str,
    authid: Option<&str>,
    authextra: Option<Value>,
) -> Vec<u8> {
    let roles: Map<_, _> = ROLES
        .map(|role| (role.to_owned(), json!({})))
        .into_iter()
        .collect();
    let mut details = Map::new();
    details.insert("roles".into(), roles.into());
    details.insert("authmethods".into(), json!([authmethod]));
    if let Some(authid) = authid {
        details.insert("authid".into(), authid.into());
    }
    if let Some(authextra) = authextra {
        details.insert("authextra".into(), authextra);
    }
    json!([1, realm, details]).to_string().into_bytes()
}

/// A number and the comma or bracket behind it, with or without spaces.
fn json_unsigned(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = None;
    for (position, octet) in text.iter().enumerate() {
        match octet {
            b'0'..=b'9' => {
                number = Some(number.unwrap_or(0) * 10 + u64::from(octet - b'0'));
            }
            b' ' => {}
            b',' | b']' => return Some((number?, text.get(position + 1..)?)),
            _ => return None,
        }
    }
    None
}

fn msgpack_read(octets: &[u8]) -> Option<(u64, &[u8])> {
    let (marker, rest) = octets.split_first()?;
    let width = match marker {
        0..=0x7f => return Some((u64::from(*marker), rest)),
        0xcc => 1,
        0xcd => 2,
        0xce => 4,
        0xcf | 0xd3 => 8,
        _ => return None,
    };
    let (number, rest) = rest.split_at_checked(width)?;
    let number = number
        .iter()
        .fold(0, |number, octet| number << 8 | u64::from(*octet));
    Some((number, rest))
}

fn msgpack_unsigned(out: &mut Vec<u8>, number: u64) {
    let octets = number.to_be_bytes();
    match number {
        0..=0x7f => out.extend_from_slice(&octets[7..]),
        0x80..=0xff => {
            out.push(0xcc);
            out.extend_from_slice(&octets[7..]);
        }
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&octets[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&octets[4..]);
        }
        _ => {
            out.push(0xcf);
            out.extend_from_slice(&octets);
        }
    }
}

fn msgpack_text(out: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).expect("the texts here are short");
    if length < 32 {
        out.push(0xa0 | length);
    } else {
        out.extend([0xd9, length]);
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        for serializer in [Serializer::Json, Serializer::MsgPack] {
            for id in [1, 127, 128, 255, 256, 65_535, 65_536, 1 << 32, 1 << 53] {
                let mut frame = Vec::new();
                let tail = serializer.uri_tail(true);
                serializer.write(&mut frame, 5, &[CALL, id], &[&tail]);
                let (head, rest) = serializer.head(&frame).unwrap();
                assert_eq!(head, [CALL, id]);
                assert_eq!(rest, tail);
                assert!(rest.starts_with(&serializer.uri_prefix()));
            }
        }
    }

    #[test]
    fn json_is_json() {
        let mut frame = Vec::new();
        let json = Serializer::Json;
        json.write(&mut frame, 4, &[REGISTER, 1], &[&json.uri_tail(false)]);
        assert_eq!(frame, br#"[64,1,{},"com.example.bench"]"#);
        frame.clear();
        json.write(&mut frame, 4, &[YIELD, 7], &[&json.arguments_tail()]);
        assert!(serde_json::from_slice::<serde_json::Value>(&frame).is_ok());
    }
}
