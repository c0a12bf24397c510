//! Texts and numbers in a table.

use std::fmt;

use super::super::{
    document::{Placed, Reported, Table},
    scalar::{Scalar, Written, quoted, suggestion},
};

/// Any text. What it means is said where it is used. It may be a secret, so it is not printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(pub(super) String);

impl Scalar for Text {
    const FORM: &'static str = "a text in quotes";

    fn read(written: &Written<'_>) -> Option<Self> {
        written.text().map(|text| Self(text.to_owned()))
    }
}

/// A number that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl Scalar for Count {
    const FORM: &'static str = "a whole number, not negative";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::Integer(number) => u64::try_from(*number).ok().map(Self),
            Written::Text(_) | Written::Other => None,
        }
    }
}

/// 32 octets: a nonce, or what binds an answer to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hex32(pub(super) [u8; 32]);

impl Scalar for Hex32 {
    const FORM: &'static str = "32 octets in hex: 64 digits";

    fn read(written: &Written<'_>) -> Option<Self> {
        let octets = hex::decode(written.text()?).ok()?;
        octets.try_into().ok().map(Self)
    }
}

/// Octets in base64, of either alphabet, padded or not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Base64(pub(super) Vec<u8>);

impl Scalar for Base64 {
    const FORM: &'static str = "octets in base64";

    fn read(written: &Written<'_>) -> Option<Self> {
        use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
        let text = written.text()?.trim_end_matches('=');
        let standard = BASE64_NOPAD.decode(text.as_bytes());
        standard
            .or_else(|_| BASE64URL_NOPAD.decode(text.as_bytes()))
            .ok()
            .map(Self)
    }
}

/// A text with places for what is not known before the attempt.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    /// The nonce of the challenge, in lower-case hex,
    NonceHex,
    /// in base64 with padding,
    NonceBase64,
    /// or in base64url without.
    NonceBase64Url,
    /// The text of a member of CHALLENGE.Extra.
    Challenge(String),
}

const PLACES: [&str; 4] = [
    "nonce.hex",
    "nonce.base64",
    "nonce.base64url",
    "challenge.MEMBER",
];

impl Template {
    /// The error is what stands in a place that there is not.
    ///
    /// # Errors
    ///
    /// If there is one.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut pieces = Vec::new();
        let mut rest = text;
        // A brace alone is nothing special: answers may be JSON.
        while let Some((start, kind)) = ["{nonce.", "{challenge."]
            .into_iter()
            .filter_map(|kind| Some((rest.find(kind)?, kind)))
            .min()
        {
            let (literal, place) = rest.split_at(start);
            let Some((inside, after)) = place
                .strip_prefix('{')
                .and_then(|place| place.split_once('}'))
            else {
                return Err(place);
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let member = inside.strip_prefix("challenge.");
            pieces.push(match (inside, member) {
                ("nonce.hex", _) => Piece::NonceHex,
                ("nonce.base64", _) => Piece::NonceBase64,
                ("nonce.base64url", _) => Piece::NonceBase64Url,
                (_, Some(member)) if !member.is_empty() => Piece::Challenge(member.to_owned()),
                _ => return Err(inside),
            });
            debug_assert!(place.starts_with(kind), "it was found there");
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    pub(super) fn take(table: &mut Table<'_>, key: &'static str) -> Result<Self, Reported> {
        let Placed { at, value } = table.required::<Text>(key)?;
        Self::parse(&value.0).map_err(|place| {
            table.problems.report(at, || {
                format!(
                    "{key:?} has the place {}, which there is not; {}",
                    quoted(place),
                    suggestion(place, || PLACES.into_iter())
                )
            })
        })
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

/// An answer is often a password.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(_)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Result<Vec<Piece>, &str> {
        Template::parse(text).map(|template| template.0)
    }

    #[test]
    fn a_text_without_places_is_itself() {
        for text in ["", "wonderland", r#"{"a":{"nonce":1}}"#, "{nonce}", "}{"] {
            let literal = (!text.is_empty()).then(|| Piece::Literal(text.to_owned()));
            assert_eq!(pieces(text), Ok(literal.into_iter().collect()), "{text}");
        }
    }

    #[test]
    fn places_are_found_wherever_they_stand() {
        assert_eq!(
            pieces("{nonce.hex}a{challenge.salt}{nonce.base64url}"),
            Ok(vec![
                Piece::NonceHex,
                Piece::Literal("a".into()),
                Piece::Challenge("salt".into()),
                Piece::NonceBase64Url,
            ])
        );
    }

    #[test]
    fn a_place_that_there_is_not_is_told() {
        assert_eq!(pieces("a{nonce.hx}"), Err("nonce.hx"));
        assert_eq!(pieces("{challenge.}"), Err("challenge."));
        assert_eq!(pieces("{nonce.hex"), Err("{nonce.hex"));
    }
}
