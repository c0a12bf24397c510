/// What a member does to a URI (`advanced/authorization.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// To call a procedure.
    Call = 1,
    /// To offer a procedure.
    Register = 2,
    /// To receive a topic's events.
    Subscribe = 4,
    /// To send a topic's events.
    Publish = 8,
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions(u8);

impl Actions {
    pub const ALL: Self = Self(15);

    pub const fn contains(self, action: Action) -> bool {
        self.0 & action as u8 != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(
            actions
                .into_iter()
                .fold(0, |set, action| set | action as u8),
        )
    }
}
