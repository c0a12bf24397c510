use std::fmt;

/// A WAMP id: an integer from 1 to 2^53, which every JSON reader can represent
/// (`basic/building_blocks.md`, "IDs").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    pub const MIN: Self = Self(1);
    pub const MAX: Self = Self(1 << 53);

    /// None outside 1..=2^53.
    pub const fn new(id: u64) -> Option<Self> {
        if id >= Self::MIN.0 && id <= Self::MAX.0 {
            Some(Self(id))
        } else {
            None
        }
    }

    /// Maps random bits onto the whole range, each id as likely as any other.
    pub const fn from_random(bits: u64) -> Self {
        Self((bits & (Self::MAX.0 - 1)) + 1)
    }

    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The id that follows in a sequence: one more, and 1 after 2^53.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 == Self::MAX.0 {
            Self::MIN
        } else {
            Self(self.0 + 1)
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ids of one session's requests in one direction: 1, 2, 3, and so on.
#[derive(Debug)]
pub struct RequestIds {
    upcoming: Id,
}

impl Default for RequestIds {
    fn default() -> Self {
        Self { upcoming: Id::MIN }
    }
}

impl RequestIds {
    /// The next id, for a request of our own.
    pub fn issue(&mut self) -> Id {
        let id = self.upcoming;
        self.upcoming = id.next();
        id
    }

    /// The id that is due next.
    pub const fn upcoming(&self) -> Id {
        self.upcoming
    }

    /// Whether the peer's request carries the id that is due; if so, the next one is due.
    pub fn accept(&mut self, id: Id) -> bool {
        let due = id == self.upcoming;
        if due {
            self.upcoming = id.next();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_ends_at_two_to_the_53() {
        assert_eq!(Id::new(0), None);
        assert_eq!(Id::new((1 << 53) + 1), None);
        assert_eq!(Id::from_random(u64::MAX), Id::MAX);
        assert_eq!(Id::from_random(0), Id::MIN);
        assert_eq!(Id::MAX.next(), Id::MIN);
    }

    #[test]
    fn a_request_out_of_turn_is_not_accepted() {
        let mut ids = RequestIds::default();
        assert!(ids.accept(Id(1)));
        assert!(!ids.accept(Id(1)));
        assert!(!ids.accept(Id(3)));
        assert!(ids.accept(Id(2)));
    }
}
