//! Durations and sizes: a whole number and its unit, as in `"20ms"` and `"16KiB"`.

use std::{
    fmt::{self, Display},
    time::Duration,
};

use super::scalar::{Quantity, Scalar, Written};

/// A number of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(u64);

impl Octets {
    /// So many octets.
    #[must_use]
    pub const fn new(octets: u64) -> Self {
        Self(octets)
    }

    /// So many times 1024 octets. At most 2^54 of them.
    #[must_use]
    pub const fn kib(kib: u64) -> Self {
        Self(kib * 1024)
    }

    /// So many times 1024 KiB. At most 2^44 of them.
    #[must_use]
    pub const fn mib(mib: u64) -> Self {
        Self::kib(mib * 1024)
    }

    /// The number.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }

    /// The number as a length in memory. On a machine that cannot hold so many: the most it can.
    #[must_use]
    pub fn length(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// From the smallest. Every other unit is a whole number of the one before it.
const SIZE_UNITS: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1024),
    ("MiB", 1024 * 1024),
    ("GiB", 1024 * 1024 * 1024),
];

/// In milliseconds, from the smallest.
const TIME_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Other spellings that people use, in lower case, and what they mean here.
const SIZE_SPELLINGS: [(&str, &str); 10] = [
    ("b", "B"),
    ("k", "KiB"),
    ("kb", "KiB"),
    ("kib", "KiB"),
    ("m", "MiB"),
    ("mb", "MiB"),
    ("mib", "MiB"),
    ("g", "GiB"),
    ("gb", "GiB"),
    ("gib", "GiB"),
];
const TIME_SPELLINGS: [(&str, &str); 14] = [
    ("ms", "ms"),
    ("msec", "ms"),
    ("s", "s"),
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "m"),
    ("min", "m"),
    ("minutes", "m"),
    ("h", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("d", "d"),
    ("days", "d"),
];

impl Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shortest(self.0, &SIZE_UNITS))
    }
}

impl Quantity for Octets {
    fn written(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Quantity for Duration {
    fn written(&self) -> String {
        format!("\"{}\"", short(*self))
    }
}

/// A duration as the file has it. What is less than a millisecond is left out.
fn short(duration: Duration) -> String {
    shortest(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        &TIME_UNITS,
    )
}

impl Scalar for Octets {
    const FORM: &'static str = r#"a size, such as "512B", "16KiB" or "1GiB""#;

    fn read(written: &Written<'_>) -> Option<Self> {
        amount(written.text()?, &SIZE_UNITS).map(Self)
    }

    fn advice(written: &Written<'_>) -> String {
        let meant = match written {
            Written::Integer(number) => u64::try_from(*number).ok().map(|n| Self(n).to_string()),
            Written::Text(text) => respelled(text, &SIZE_SPELLINGS),
            Written::Other => None,
        };
        meant.map_or_else(
            || format!("it must be {}", Self::FORM),
            |meant| format!("it needs a unit: did you mean {meant:?}?"),
        )
    }
}

impl Scalar for Duration {
    const FORM: &'static str = r#"a duration, such as "20ms", "5s", "2m", "12h" or "30d""#;

    fn read(written: &Written<'_>) -> Option<Self> {
        amount(written.text()?, &TIME_UNITS).map(Self::from_millis)
    }

    fn advice(written: &Written<'_>) -> String {
        match written {
            Written::Integer(number @ 0..) => {
                format!(r#"it needs a unit: did you mean "{number}s" or "{number}ms"?"#)
            }
            Written::Text(text) if let Some(meant) = respelled(text, &TIME_SPELLINGS) => {
                format!("it needs a unit: did you mean {meant:?}?")
            }
            Written::Integer(_) | Written::Text(_) | Written::Other => {
                format!("it must be {}", Self::FORM)
            }
        }
    }
}

/// A duration as a file has it, from elsewhere. The error says what it must be.
///
/// # Errors
///
/// The text is something else.
pub fn duration(text: &str) -> Result<Duration, String> {
    let written = Written::Text(text);
    Duration::read(&written).ok_or_else(|| Duration::advice(&written))
}

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = split(text)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

/// The number and the unit. Only digits make a number: no sign, no fraction, no underscore.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit))
}

fn respelled(text: &str, spellings: &[(&str, &str)]) -> Option<String> {
    let (number, unit) = split(text)?;
    let unit = unit.trim().to_ascii_lowercase();
    let (_, meant) = spellings.iter().find(|(spelling, _)| *spelling == unit)?;
    Some(format!("{number}{meant}"))
}

/// In the largest unit of which it is a whole number.
fn shortest(number: u64, units: &[(&str, u64)]) -> String {
    units
        .iter()
        .rev()
        .find(|(_, factor)| number >= *factor && number.is_multiple_of(*factor))
        .or(units.first())
        .map_or_else(
            || number.to_string(),
            |(unit, factor)| format!("{}{unit}", number / factor),
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn duration(text: &str) -> Option<Duration> {
        Duration::read(&Written::Text(text))
    }

    fn octets(text: &str) -> Option<u64> {
        Octets::read(&Written::Text(text)).map(Octets::count)
    }

    #[test]
    fn durations() {
        assert_eq!(duration("20ms"), Some(Duration::from_millis(20)));
        assert_eq!(duration("5s"), Some(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Some(Duration::from_mins(2)));
        assert_eq!(duration("12h"), Some(Duration::from_hours(12)));
        assert_eq!(duration("30d"), Some(Duration::from_hours(30 * 24)));
        for wrong in [
            "", "5", "s", "5 s", "-5s", "+5s", "1.5s", "5S", "1h30m", "٥s", "5_0s",
        ] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
        assert_eq!(duration("18446744073709551615d"), None, "too large to hold");
        assert_eq!(duration("99999999999999999999s"), None, "too large to hold");
    }

    #[test]
    fn sizes() {
        assert_eq!(octets("512B"), Some(512));
        assert_eq!(octets("16KiB"), Some(16 * 1024));
        assert_eq!(octets("16MiB"), Some(16 * 1024 * 1024));
        assert_eq!(octets("1GiB"), Some(1024 * 1024 * 1024));
        for wrong in ["", "16", "KiB", "16KB", "16 KiB", "1.5MiB", "16kib", "-1B"] {
            assert_eq!(octets(wrong), None, "{wrong:?}");
        }
        assert_eq!(octets("18446744073709551615GiB"), None, "too large to hold");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(number: u64) {
            prop_assert_eq!(octets(&Octets::new(number).to_string()), Some(number));
            let time = Duration::from_millis(number);
            prop_assert_eq!(duration(&short(time)), Some(time));
        }
    }
}
