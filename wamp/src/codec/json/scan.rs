//! Walking over JSON (RFC 8259) without reading it: no recursion, and no memory beyond one bit for each
//! level of nesting. What ends where is all that the router needs to know of most of a message.

use super::super::{ARGUMENTS_DEPTH, Elements, Malformed};

/// Checks that the frame is one well-formed array and nothing else, and finds its elements.
pub(in crate::codec) fn split(frame: &[u8]) -> Result<Elements, Malformed> {
    // From here on, octets above 0x7f are parts of characters, which only strings may have.
    std::str::from_utf8(frame).map_err(|_| Malformed::Syntax)?;
    let mut scan = Scan {
        text: frame,
        position: 0,
    };
    let mut elements = Elements::new();
    scan.expect(b'[')?;
    if scan.peek() == Some(b']') {
        scan.position += 1;
    } else {
        loop {
            scan.peek();
            let start = scan.position;
            scan.value()?;
            elements.push(start..scan.position);
            match scan.token()? {
                b',' => {}
                b']' => break,
                _ => return Err(Malformed::Syntax),
            }
        }
    }
    match scan.peek() {
        None => Ok(elements),
        Some(_) => Err(Malformed::Syntax),
    }
}

struct Scan<'a> {
    text: &'a [u8],
    position: usize,
}

impl Scan<'_> {
    /// What is next, white space left out; the position is there.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.position) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                octet => return octet.copied(),
            }
        }
    }

    /// The octet at the position, which moves on.
    #[inline]
    fn next(&mut self) -> Result<u8, Malformed> {
        let octet = self.text.get(self.position).ok_or(Malformed::Syntax)?;
        self.position += 1;
        Ok(*octet)
    }

    /// The next octet that is no white space.
    #[inline]
    fn token(&mut self) -> Result<u8, Malformed> {
        self.peek();
        self.next()
    }

    #[inline]
    fn expect(&mut self, octet: u8) -> Result<(), Malformed> {
        if self.token()? == octet {
            Ok(())
        } else {
            Err(Malformed::Syntax)
        }
    }

    /// Moves behind one value, whatever is in it.
    fn value(&mut self) -> Result<(), Malformed> {
        let mut levels = Levels::default();
        loop {
            match self.token()? {
                b'"' => self.string()?,
                b'0' => self.number_after_integer()?,
                b'1'..=b'9' => {
                    self.digits();
                    self.number_after_integer()?;
                }
                b'-' => {
                    if self.next_is(b'0') {
                        self.position += 1;
                    } else {
                        self.some_digits()?;
                    }
                    self.number_after_integer()?;
                }
                b'{' => {
                    levels.enter(Level::Dict)?;
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    levels.enter(Level::List)?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                b't' => self.literal(b"rue")?,
                b'f' => self.literal(b"alse")?,
                b'n' => self.literal(b"ull")?,
                _ => return Err(Malformed::Syntax),
            }
            // A value has ended (or there is none in this level), and with it each level that ends
            // here.
            loop {
                let Some(level) = levels.innermost() else {
                    return Ok(());
                };
                match (level, self.token()?) {
                    (Level::List, b']') | (Level::Dict, b'}') => levels.leave(),
                    (Level::List, b',') => break,
                    (Level::Dict, b',') => {
                        self.key()?;
                        break;
                    }
                    _ => return Err(Malformed::Syntax),
                }
            }
        }
    }

    fn key(&mut self) -> Result<(), Malformed> {
        self.expect(b'"')?;
        self.string()?;
        self.expect(b':')
    }

    /// Moves behind a string whose first quotation mark has been read.
    fn string(&mut self) -> Result<(), Malformed> {
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            self.position += until_special(rest);
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            if !self.next()?.is_ascii_hexdigit() {
                                return Err(Malformed::Syntax);
                            }
                        }
                    }
                    _ => return Err(Malformed::Syntax),
                },
                _ => return Err(Malformed::Syntax),
            }
        }
    }

    /// What may follow the integer part of a number: a fraction, an exponent.
    fn number_after_integer(&mut self) -> Result<(), Malformed> {
        if self.next_is(b'.') {
            self.position += 1;
            self.some_digits()?;
        }
        if self.next_is(b'e') || self.next_is(b'E') {
            self.position += 1;
            if self.next_is(b'+') || self.next_is(b'-') {
                self.position += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn next_is(&self, octet: u8) -> bool {
        self.text.get(self.position) == Some(&octet)
    }

    fn some_digits(&mut self) -> Result<(), Malformed> {
        if !self.next()?.is_ascii_digit() {
            return Err(Malformed::Syntax);
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.text.get(self.position).is_some_and(u8::is_ascii_digit) {
            self.position += 1;
        }
    }

    fn literal(&mut self, rest: &[u8]) -> Result<(), Malformed> {
        let end = self.position + rest.len();
        if self.text.get(self.position..end) != Some(rest) {
            return Err(Malformed::Syntax);
        }
        self.position = end;
        Ok(())
    }
}

/// How many octets a string goes on before the first that means something: a quotation mark, a
/// backslash, or a control character, which must not be there. Eight at a time are looked at.
pub(super) fn until_special(text: &[u8]) -> usize {
    const WORD: usize = size_of::<u64>();
    let (words, rest) = text.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return index * WORD + special.trailing_zeros() as usize / 8;
        }
    }
    let in_words = text.len() - rest.len();
    rest.iter()
        .position(|octet| matches!(octet, 0..=0x1f | b'"' | b'\\'))
        .map_or(text.len(), |index| in_words + index)
}

/// The highest bit of each octet that means something in a string. Above the lowest of them more may
/// be set, by a borrow; below it none is.
const fn special(word: u64) -> u64 {
    const fn each(octet: u8) -> u64 {
        u64::from_le_bytes([octet; 8])
    }
    const fn below(word: u64, octet: u8) -> u64 {
        word.wrapping_sub(each(octet)) & !word
    }
    (below(word, 0x20) | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1)) & each(0x80)
}

#[derive(Clone, Copy)]
enum Level {
    List,
    Dict,
}

/// The lists and dictionaries that have begun and not ended.
#[derive(Default)]
struct Levels {
    /// The lowest bit is the innermost's: set for a dictionary.
    dicts: u128,
    depth: usize,
}

const _: () = assert!(ARGUMENTS_DEPTH <= u128::BITS as usize);

impl Levels {
    #[inline]
    fn enter(&mut self, level: Level) -> Result<(), Malformed> {
        if self.depth >= ARGUMENTS_DEPTH {
            return Err(Malformed::TooDeep);
        }
        self.dicts = self.dicts << 1 | u128::from(matches!(level, Level::Dict));
        self.depth += 1;
        Ok(())
    }

    #[inline]
    fn innermost(&self) -> Option<Level> {
        (self.depth > 0).then_some(if self.dicts & 1 == 1 {
            Level::Dict
        } else {
            Level::List
        })
    }

    #[inline]
    fn leave(&mut self) {
        self.dicts >>= 1;
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What `serde_json` makes of it.
    fn read(text: &str) -> Option<Vec<&str>> {
        let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        Some(elements.into_iter().map(RawValue::get).collect())
    }

    fn scanned(text: &str) -> Option<Vec<&str>> {
        let elements = split(text.as_bytes()).ok()?;
        Some(elements.into_iter().map(|range| &text[range]).collect())
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "-?(0|[1-9][0-9]{0,20})([.][0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
            "true|false|null",
            string(),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let space = "[ \t\r\n]{0,1}";
            let list = prop::collection::vec((space, inner.clone(), space), 0..4);
            let dict = prop::collection::vec((space, string(), space, inner, space), 0..4);
            prop_oneof![
                list.prop_map(|items| {
                    let items: Vec<_> = items
                        .into_iter()
                        .map(|(before, item, after)| format!("{before}{item}{after}"))
                        .collect();
                    format!("[{}]", items.join(","))
                }),
                dict.prop_map(|items| {
                    let items: Vec<_> = items
                        .into_iter()
                        .map(|(before, key, between, item, after)| {
                            format!("{before}{key}{between}:{item}{after}")
                        })
                        .collect();
                    format!("{{{}}}", items.join(","))
                }),
            ]
        })
    }

    /// Of any length around that of a word, with escapes and with characters of many octets.
    fn string() -> impl Strategy<Value = String> {
        r#""([a-z \x7f]|[ä€𝄞]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,20}""#
    }

    proptest! {
        #[test]
        fn what_is_scanned_is_what_serde_json_reads(elements in prop::collection::vec(json(), 0..6)) {
            let text = format!("[{}]", elements.join(","));
            let read = read(&text);
            prop_assert!(read.is_some(), "{text}");
            prop_assert_eq!(scanned(&text), read);
        }

        /// One octet of well-formed text put out, in or changed: both say the same of it.
        #[test]
        fn what_is_broken_is_broken_for_both(
            elements in prop::collection::vec(json(), 0..4),
            at in any::<prop::sample::Index>(),
            removed in 0..=1_usize,
            put in r#"[\x00-\x7f]|[\[\]{},:"0-9eE.+u-]|\\|"#,
        ) {
            let text = format!(" [{}] ", elements.join(", "));
            let at = at.index(text.len());
            prop_assume!(text.is_char_boundary(at) && text.is_char_boundary(at + removed));
            let broken = format!("{}{put}{}", &text[..at], &text[at + removed..]);
            prop_assert_eq!(scanned(&broken), read(&broken), "{}", broken);
        }

        #[test]
        fn a_string_goes_on_to_the_first_octet_that_means_something(
            text in prop::collection::vec(prop_oneof![
                8 => any::<u8>(),
                2 => prop::sample::select(&[0x1f, 0x20, b'"', b'\\', b'!', b'#', b'[', b']', 0x80, 0xff][..]),
            ], 0..40),
        ) {
            let first = text.iter().position(|octet| *octet < 0x20 || *octet == b'"' || *octet == b'\\');
            prop_assert_eq!(until_special(&text), first.unwrap_or(text.len()));
        }
    }

    #[test]
    fn nesting_ends_where_every_serialization_can_follow() {
        let nested = |depth: usize| format!("[{}{}]", "[".repeat(depth), "]".repeat(depth));
        assert!(split(nested(ARGUMENTS_DEPTH).as_bytes()).is_ok());
        assert_eq!(
            split(nested(ARGUMENTS_DEPTH + 1).as_bytes()),
            Err(Malformed::TooDeep)
        );
    }
}
