//! `[key_set.NAME]`: where keys of others are, that a realm trusts.

use std::{
    fmt::{self, Display},
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use super::{
    document::{Reported, Table},
    name::KeyFileName,
    origin::Origin,
    scalar::{Scalar, Written},
};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// Where a key set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetPlace {
    /// In a file beside the realm's.
    File(PathBuf),
    Remote(RemoteKeySet),
}

/// A key set at an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteKeySet {
    pub url: KeySetUrl,
    /// How old it becomes before it is fetched anew.
    pub refresh: Duration,
    /// How old it becomes before it is not used any more, if it cannot be fetched anew.
    pub keep: Duration,
    /// From the end of one attempt to the begin of the next.
    pub pause: Duration,
}

/// The address of a key set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeySetUrl(Box<str>);

impl KeySetUrl {
    /// The URL, if it is one of a plain host by `http` or `https`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        Origin::of(&url)?;
        url.fragment().is_none().then(|| Self(url.as_str().into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for KeySetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scalar for KeySetUrl {
    const FORM: &'static str =
        r#"a URL without a user's name, such as "https://id.example.com/keys""#;

    fn read(written: &Written<'_>) -> Option<Self> {
        Self::new(written.text()?)
    }
}

impl KeySetPlace {
    /// Takes the table. `directory` is the realm's file's.
    pub(super) fn take(mut table: Table<'_>, directory: &Path) -> Result<Self, Reported> {
        let file = table.optional::<KeyFileName>("file");
        let url = table.optional::<KeySetUrl>("url");
        let refresh = table.within("refresh", MINUTE..=30 * DAY);
        let keep = table.within("keep", MINUTE..=30 * DAY);
        let pause = table.within("pause", Duration::from_millis(1)..=DAY);
        let (file, url) = (file?, url?);
        let (refresh, keep, pause) = (refresh?, keep?, pause?);
        let report = |at, message: &str| Err(table.problems.report(at, || message.to_owned()));
        match (file, url) {
            (Some(file), None) => match refresh.or(keep).or(pause) {
                None => Ok(Self::File(directory.join(file.value.as_str()))),
                Some(time) => report(
                    time.at,
                    "a key set in a file has no times: it is read whenever the file has changed; \
                     remove the line",
                ),
            },
            (None, Some(url)) => {
                let refresh = refresh.map_or(60 * MINUTE, |found| found.value);
                let longest = keep.as_ref().map_or(table.at, |found| found.at);
                let keep = keep.map_or(DAY.max(refresh), |found| found.value);
                if keep < refresh {
                    return report(
                        longest,
                        "\"keep\" is shorter than \"refresh\", so there would be no keys in \
                         between; make it longer",
                    );
                }
                Ok(Self::Remote(RemoteKeySet {
                    url: url.value,
                    refresh,
                    keep,
                    pause: pause.map_or(MINUTE / 2, |found| found.value),
                }))
            }
            (Some(file), Some(_)) => {
                report(file.at, "there are \"file\" and \"url\"; keep one of them")
            }
            (None, None) => report(
                table.at,
                "there is neither \"file\" nor \"url\"; say where the keys are, such as \
                 url = \"https://id.example.com/keys\"",
            ),
        }
    }
}
