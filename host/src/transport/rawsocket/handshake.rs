use thiserror::Error;

use crate::wamp::Serializer;

/// The octet that a RawSocket starts with, in both directions. Neither HTTP nor TLS starts so.
pub const MAGIC: u8 = 0x7f;

/// The most octets of a message that one end takes: a power of two from 512 to 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(u8);

impl Length {
    pub const LARGEST: Self = Self(15);

    /// What a client must take: our WELCOME is about 900 octets long.
    pub const LEAST: Self = Self(1);

    /// The largest that is not above this, as far as there is one.
    pub fn within(octets: usize) -> Self {
        let nibble = octets.max(512).ilog2() - 9;
        u8::try_from(nibble).map_or(Self::LARGEST, |nibble| Self(nibble).min(Self::LARGEST))
    }

    pub const fn octets(self) -> usize {
        512 << self.0
    }
}

/// What an end says first: the client what it wants, the router that it agrees
/// (`advanced/transport_rawsocket.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    pub length: Length,
    pub serializer: Serializer,
}

/// Why there is no RawSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeError {
    #[error("what came first is not the start of a RawSocket")]
    NoRawSocket,
    #[error("the serializer is not supported")]
    Serializer,
    #[error("the maximum length of a message is not acceptable")]
    Length,
    #[error("reserved bits are in use")]
    Reserved,
    #[error("there are too many connections")]
    Connections,
    #[error("the error has the number {0}, which has no meaning")]
    Unknown(u8),
}

impl Handshake {
    pub const fn octets(self) -> [u8; 4] {
        [MAGIC, self.length.0 << 4 | number(self.serializer), 0, 0]
    }

    /// Reads what a client starts with.
    pub fn of_client(octets: [u8; 4]) -> Result<Self, HandshakeError> {
        let [MAGIC, wishes, reserved @ ..] = octets else {
            return Err(HandshakeError::NoRawSocket);
        };
        if reserved != [0, 0] {
            return Err(HandshakeError::Reserved);
        }
        let serializer = serializer(wishes & 0x0f).ok_or(HandshakeError::Serializer)?;
        let length = Length(wishes >> 4);
        if length < Length::LEAST {
            return Err(HandshakeError::Length);
        }
        Ok(Self { length, serializer })
    }

    /// Reads what a router answers.
    pub fn of_router(octets: [u8; 4]) -> Result<Self, HandshakeError> {
        let [MAGIC, answer, reserved @ ..] = octets else {
            return Err(HandshakeError::NoRawSocket);
        };
        let (high, low) = (answer >> 4, answer & 0x0f);
        if low == 0 {
            return Err(HandshakeError::from_code(high));
        }
        if reserved != [0, 0] {
            return Err(HandshakeError::Reserved);
        }
        Ok(Self {
            length: Length(high),
            serializer: serializer(low).ok_or(HandshakeError::Serializer)?,
        })
    }
}

impl HandshakeError {
    /// What a client is answered. None: it would not understand.
    pub const fn octets(self) -> Option<[u8; 4]> {
        let code = match self {
            Self::NoRawSocket => return None,
            Self::Serializer => 1,
            Self::Length => 2,
            Self::Reserved => 3,
            Self::Connections => 4,
            Self::Unknown(code) => code,
        };
        Some([MAGIC, code << 4, 0, 0])
    }

    const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Serializer,
            2 => Self::Length,
            3 => Self::Reserved,
            4 => Self::Connections,
            _ => Self::Unknown(code),
        }
    }
}

const fn number(serializer: Serializer) -> u8 {
    match serializer {
        Serializer::Json => 1,
        Serializer::MsgPack => 2,
        Serializer::Cbor => 3,
    }
}

fn serializer(wanted: u8) -> Option<Serializer> {
    Serializer::ALL
        .into_iter()
        .find(|serializer| number(*serializer) == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_specifications_examples() {
        // JSON, 16 MiB.
        let wanted = Handshake {
            length: Length::LARGEST,
            serializer: Serializer::Json,
        };
        assert_eq!(wanted.octets(), [0x7f, 0xf1, 0, 0]);
        assert_eq!(Handshake::of_client([0x7f, 0xf1, 0, 0]), Ok(wanted));
        assert_eq!(Handshake::of_router([0x7f, 0xf1, 0, 0]), Ok(wanted));
        assert_eq!(Length::LARGEST.octets(), 1 << 24);
    }

    #[test]
    fn every_error_has_its_code() {
        for (octets, error, answer) in [
            (*b"GET ", HandshakeError::NoRawSocket, None),
            ([0x16, 3, 1, 2], HandshakeError::NoRawSocket, None),
            ([0x7f, 0xf0, 0, 0], HandshakeError::Serializer, Some(0x10)),
            ([0x7f, 0xf4, 0, 0], HandshakeError::Serializer, Some(0x10)),
            ([0x7f, 0xff, 0, 0], HandshakeError::Serializer, Some(0x10)),
            ([0x7f, 0x01, 0, 0], HandshakeError::Length, Some(0x20)),
            ([0x7f, 0xf1, 1, 0], HandshakeError::Reserved, Some(0x30)),
            ([0x7f, 0xf1, 0, 0x80], HandshakeError::Reserved, Some(0x30)),
        ] {
            assert_eq!(Handshake::of_client(octets), Err(error), "{octets:x?}");
            let answer = answer.map(|code| [0x7f, code, 0, 0]);
            assert_eq!(error.octets(), answer);
            if let Some(answer) = answer {
                assert_eq!(Handshake::of_router(answer), Err(error));
            }
        }
        let full = HandshakeError::Connections.octets().unwrap();
        assert_eq!(full, [0x7f, 0x40, 0, 0]);
        assert_eq!(Handshake::of_router(full), Err(HandshakeError::Connections));
        assert_eq!(
            Handshake::of_router([0x7f, 0x90, 0, 0]),
            Err(HandshakeError::Unknown(9))
        );
    }

    #[test]
    fn lengths_are_never_above_what_is_meant() {
        for (octets, announced) in [
            (0, 512),
            (1023, 512),
            (1024, 1024),
            (100_000, 65_536),
            (1 << 24, 1 << 24),
            (usize::MAX, 1 << 24),
        ] {
            assert_eq!(Length::within(octets).octets(), announced);
        }
    }

    proptest! {
        #[test]
        fn what_is_understood_is_written_the_same(octets: [u8; 4]) {
            for read in [Handshake::of_client(octets), Handshake::of_router(octets)] {
                match read {
                    Ok(handshake) => prop_assert_eq!(handshake.octets(), octets),
                    Err(error) => {
                        // None or an answer that a client understands.
                        _ = error.octets().map(Handshake::of_router);
                    }
                }
            }
        }
    }
}
