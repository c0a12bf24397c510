//! Values that stand in a file as one string or one number, and how to speak of them to the person
//! who wrote it.

use toml::de::DeValue;

/// The longest piece of a file that a message repeats, in characters.
const LONGEST_QUOTE: usize = 64;

/// The most words that a message offers to choose from.
const MOST_CHOICES: usize = 12;

/// A value that stands in the file as one string or one number.
pub(super) trait Scalar: Sized {
    /// What to write, with an example: it follows "it must be".
    const FORM: &'static str;

    /// The value, if the file has one of this form.
    fn read(written: &Written<'_>) -> Option<Self>;

    /// What to do about something that is not of this form.
    fn advice(_: &Written<'_>) -> String {
        format!("it must be {}", Self::FORM)
    }
}

/// What a scalar is read from.
pub(super) enum Written<'a> {
    Text(&'a str),
    Integer(i64),
    Other,
}

impl<'a> Written<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Other => None,
        }
    }
}

/// A scalar that has an order, and limits.
pub(super) trait Quantity: Scalar + PartialOrd {
    /// As the file has it.
    fn written(&self) -> String;
}

/// A scalar that is one of a few fixed words.
pub(super) trait Word: Copy + 'static {
    /// All of them, for a person.
    const FORM: &'static str;

    /// Each with what it means.
    const WORDS: &'static [(&'static str, Self)];
}

impl<T: Word> Scalar for T {
    const FORM: &'static str = T::FORM;

    fn read(written: &Written<'_>) -> Option<Self> {
        let text = written.text()?;
        T::WORDS
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning)
    }

    fn advice(written: &Written<'_>) -> String {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        suggestion(written.text().unwrap_or_default(), words)
    }
}

impl Scalar for u32 {
    const FORM: &'static str = "a whole number, not negative and below 2^32";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::Integer(number) => Self::try_from(*number).ok(),
            Written::Text(_) | Written::Other => None,
        }
    }
}

impl Quantity for u32 {
    fn written(&self) -> String {
        self.to_string()
    }
}

/// None for what is not an integer, and for one that 64 bits do not hold.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

pub(super) fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => format!("the number {}", shortened(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", shortened(&number.to_string())),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A piece of the file for a message: in quotes, escaped, and not too long.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", text.split_at(end).0),
        None => text.to_owned(),
    }
}

/// What may have been meant by a word that is not known.
pub(super) fn suggestion<'a, I: Iterator<Item = &'a str>>(
    word: &str,
    known: impl Fn() -> I,
) -> String {
    if let Some(nearest) = nearest(word, known()) {
        return format!("did you mean {nearest:?}?");
    }
    let offered: Vec<String> = known().take(MOST_CHOICES).map(quoted).collect();
    match known().count() - offered.len() {
        0 => format!("known are {}", offered.join(", ")),
        more => format!("known are {} and {more} more", offered.join(", ")),
    }
}

/// The known word that is the fewest typing errors away, if those are few.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let most = 1 + length / 4;
    known
        // The lengths alone tell most of them apart, and cost nothing.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
