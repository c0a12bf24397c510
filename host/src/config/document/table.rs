use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    mem,
    ops::RangeInclusive,
};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{Placed, Problems, Reported, all};
use crate::config::scalar::{
    Quantity, Scalar, Written, described, integer, nearest, quoted, shortened, suggestion,
};

/// A table of the file. Take every key before leaving early: what is still in it when it is dropped
/// is reported as unknown.
pub struct Table<'d> {
    pub problems: &'d Problems,
    /// Where the table stands, as an offset in octets.
    pub at: usize,
    place: Place,
    entries: DeTable<'d>,
    taken: Vec<&'static str>,
    /// Required keys that are not there, and the form of their values.
    missing: Vec<(&'static str, String)>,
}

/// An item of a list that says what it has to say in one scalar, or more in a table.
pub enum Item<'d, T> {
    Short(Placed<T>),
    Long(Table<'d>),
}

/// Which table it is, in TOML's own spelling.
pub(super) enum Place {
    Top,
    Table(String),
    Item(String),
}

impl<'d> Table<'d> {
    pub(super) fn new(
        problems: &'d Problems,
        place: Place,
        at: usize,
        entries: DeTable<'d>,
    ) -> Self {
        Self {
            problems,
            at,
            place,
            entries,
            taken: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The value of a key that must be there.
    pub fn required<T: Scalar>(&mut self, key: &'static str) -> Result<Placed<T>, Reported> {
        self.optional(key)?
            .ok_or_else(|| self.missing(key, T::FORM.to_owned()))
    }

    /// The value of a key that may be there.
    pub fn optional<T: Scalar>(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Placed<T>>, Reported> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        scalar(self.problems, &format!("{key:?}"), &value).map(Some)
    }

    /// The value of a key that may be there and must lie in a range.
    pub fn within<T: Quantity>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<T>,
    ) -> Result<Option<Placed<T>>, Reported> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let found = scalar::<T>(self.problems, &format!("{key:?}"), &value)?;
        if range.contains(&found.value) {
            return Ok(Some(found));
        }
        Err(self.problems.report(found.at, || {
            let [least, most] = [range.start(), range.end()].map(T::written);
            let found = described(value.get_ref());
            format!("{key:?} is {found}; choose from {least} to {most}")
        }))
    }

    /// The same, with a default. It stands in for a wrong value too, which is then reported.
    pub fn within_or<T: Quantity>(
        &mut self,
        key: &'static str,
        default: T,
        range: RangeInclusive<T>,
    ) -> T {
        debug_assert!(
            range.contains(&default),
            "the default of {key} is out of its range"
        );
        self.within(key, range)
            .ok()
            .flatten()
            .map_or(default, |found| found.value)
    }

    /// The items of a list that may be there, each of them different.
    pub fn list<T: Scalar + Ord + Clone>(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Vec<Placed<T>>>, Reported> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let Some(items) = value.get_ref().as_array() else {
            return Err(self.problems.report(value.span().start, || {
                let found = described(value.get_ref());
                format!(
                    "{key:?} is {found}; it must be a list, each item {}",
                    T::FORM
                )
            }));
        };
        self.distinct(key, items).map(Some)
    }

    /// The same for a list that must be there.
    pub fn required_list<T: Scalar + Ord + Clone>(
        &mut self,
        key: &'static str,
    ) -> Result<Placed<Vec<Placed<T>>>, Reported> {
        let at = self
            .entries
            .get(key)
            .map_or(self.at, |value| value.span().start);
        let value = self
            .list(key)?
            .ok_or_else(|| self.missing(key, format!("a list, each item {}", T::FORM)))?;
        Ok(Placed { at, value })
    }

    /// What `read` makes of the items of a list that must be there, and of their places in it, from 0
    /// on. Each is written in short, as a scalar, or as a table that says more.
    pub fn required_items<T: Scalar, U>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(usize, Item<'d, T>) -> Result<U, Reported>,
    ) -> Result<Placed<Vec<U>>, Reported> {
        let form = || format!("a list, each item {}", T::FORM);
        let Some(value) = self.take(key) else {
            return Err(self.missing(key, form()));
        };
        let at = value.span().start;
        let items = match value.into_inner() {
            DeValue::Array(items) => items,
            other => {
                return Err(self.problems.report(at, || {
                    format!("{key:?} is {}; it must be {}", described(&other), form())
                }));
            }
        };
        let items = items.into_iter().enumerate().map(|(index, item)| {
            let item = if item.get_ref().is_table() {
                Item::Long(self.open(Place::Item(self.path_to(key)), item)?)
            } else {
                let what = format!("an item of {key:?}");
                Item::Short(scalar(self.problems, &what, &item)?)
            };
            read(index, item)
        });
        Ok(Placed {
            at,
            value: all(items)?,
        })
    }

    /// The table under a key; an empty one where there is none.
    pub fn table(&mut self, key: &'static str) -> Table<'d> {
        let found = self.optional_table(key).ok().flatten();
        found.unwrap_or_else(|| Self::new(self.problems, self.inner(key), self.at, DeTable::new()))
    }

    /// The table under a key, if there is one.
    pub fn optional_table(&mut self, key: &'static str) -> Result<Option<Table<'d>>, Reported> {
        let place = self.inner(key);
        self.take(key)
            .map(|value| self.open(place, value))
            .transpose()
    }

    /// The tables of an array, `[[key]]`. What is no table is reported and left out.
    pub fn tables(&mut self, key: &'static str) -> Result<Vec<Table<'d>>, Reported> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Array(items) => Ok(items
                .into_iter()
                .filter_map(|item| self.open(Place::Item(self.path_to(key)), item).ok())
                .collect()),
            other => Err(self.problems.report(at, || {
                let found = described(&other);
                format!("{key:?} is {found}; write it as [[{key}]], with two brackets")
            })),
        }
    }

    /// The tables of a table whose keys are names, `[key.NAME]`. What is wrong is reported and left
    /// out.
    pub fn named_tables<T: Scalar>(&mut self, key: &'static str) -> Vec<(Placed<T>, Table<'d>)> {
        let mut outer = self.table(key);
        let mut tables = Vec::new();
        for (name, value) in mem::take(&mut outer.entries) {
            let place = outer.inner(name.get_ref());
            let span = name.span();
            let name = Spanned::new(span, DeValue::String(name.into_inner()));
            let name = scalar(self.problems, &format!("a key in {}", outer.place), &name);
            match (name, outer.open(place, value)) {
                (Ok(name), Ok(table)) => tables.push((name, table)),
                // Nobody knows what belongs into a table without a name.
                (Err(_), Ok(mut table)) => table.entries.clear(),
                (_, Err(_)) => {}
            }
        }
        tables
    }

    /// The table under a key, whose inside is not ours to judge.
    pub fn opaque(&mut self, key: &'static str) -> DeTable<'d> {
        mem::take(&mut self.table(key).entries)
    }

    /// Leaves what is still in it be, since nobody knows what belongs into it: all but what is a key
    /// that is missing, misspelt.
    pub fn forgive(&mut self) {
        let entries = mem::take(&mut self.entries);
        let is_meant = |left: &str| {
            let meant = nearest(left, self.taken.iter().copied());
            self.missing.iter().any(|(key, _)| meant == Some(*key))
        };
        self.entries = entries
            .into_iter()
            .filter(|(left, _)| is_meant(left.get_ref()))
            .collect();
    }

    /// It is told when the table is dropped: perhaps one of the keys that are then left is it,
    /// misspelt.
    pub fn missing(&mut self, key: &'static str, form: String) -> Reported {
        self.missing.push((key, form));
        Reported(())
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'d>>> {
        self.taken.push(key);
        self.entries.remove(key)
    }

    fn open(&self, place: Place, value: Spanned<DeValue<'d>>) -> Result<Table<'d>, Reported> {
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Table(entries) => Ok(Self::new(self.problems, place, at, entries)),
            other => Err(self.problems.report(at, || {
                format!(
                    "there is {} where a table must be; write {place}",
                    described(&other)
                )
            })),
        }
    }

    fn distinct<T: Scalar + Ord + Clone>(
        &self,
        key: &str,
        items: &DeArray<'d>,
    ) -> Result<Vec<Placed<T>>, Reported> {
        let mut seen = BTreeSet::new();
        all(items.iter().map(|item| {
            let found = scalar::<T>(self.problems, &format!("an item of {key:?}"), item)?;
            if seen.insert(found.value.clone()) {
                return Ok(found);
            }
            Err(self.problems.report(found.at, || {
                format!(
                    "{} is in {key:?} twice; remove one",
                    described(item.get_ref())
                )
            }))
        }))
    }

    fn inner(&self, key: &str) -> Place {
        Place::Table(self.path_to(key))
    }

    fn path_to(&self, key: &str) -> String {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let key = if key.chars().all(is_bare) {
            shortened(key)
        } else {
            quoted(key)
        };
        match &self.place {
            Place::Top => key,
            Place::Table(path) | Place::Item(path) => format!("{path}.{key}"),
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let taken = || self.taken.iter().copied();
        for (key, form) in &self.missing {
            let is_misspelt = |left: &str| nearest(left, taken()) == Some(*key);
            if !self.entries.keys().any(|left| is_misspelt(left.get_ref())) {
                self.problems.report(self.at, || {
                    let place = self.place.described();
                    format!("the key {key:?} is missing {place}; it must be {form}")
                });
            }
        }
        for key in self.entries.keys() {
            self.problems.report(key.span().start, || {
                let (key, place) = (key.get_ref(), self.place.described());
                format!(
                    "unknown key {} {place}; {}",
                    quoted(key),
                    suggestion(key, taken)
                )
            });
        }
    }
}

impl Place {
    fn described(&self) -> String {
        match self {
            Self::Top => "at the top of the file".to_owned(),
            Self::Table(_) | Self::Item(_) => format!("in {self}"),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => f.write_str("the top of the file"),
            Self::Table(path) => write!(f, "[{path}]"),
            Self::Item(path) => write!(f, "[[{path}]]"),
        }
    }
}

fn scalar<T: Scalar>(
    problems: &Problems,
    what: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Placed<T>, Reported> {
    let written = match value.get_ref() {
        DeValue::String(text) => Written::Text(text),
        DeValue::Integer(_) => integer(value.get_ref()).map_or(Written::Other, Written::Integer),
        _ => Written::Other,
    };
    let at = value.span().start;
    T::read(&written)
        .map(|value| Placed { at, value })
        .ok_or_else(|| {
            problems.report(at, || {
                format!(
                    "{what} is {}; {}",
                    described(value.get_ref()),
                    T::advice(&written)
                )
            })
        })
}
