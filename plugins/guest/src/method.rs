//! The trait that a method implements, and the component that is made of it.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::exports::countersign::auth::{about, method};
use crate::{Answer, Attempt, Verdict, settings};

/// An authentication method.
///
/// A value of the implementing type is the method with one realm's settings: its fields are the
/// settings (none: `struct Ticket {}`), and the library reads it anew for each call from what the
/// realm's file says. A key that is no field's is an error, and so is a value of the wrong type;
/// the person who wrote the file is told which.
///
/// An `Err` from [`begin`](Self::begin) or [`resume`](Self::resume) says that the method could not
/// decide, e.g. since the host's credential is not what it works with. It denies the login, as
/// [`Verdict::Deny`] does, but it is the operator who has something to mend, not the client.
pub trait Method: DeserializeOwned {
    /// What the method says of itself when it is loaded.
    const MANIFEST: Manifest;

    /// Whether clients send their secret as it is: a password, a token. Then a realm does not ask
    /// for it where others could read along, unless its file says so.
    const CLEAR_SECRET: bool = false;

    /// What the types of the fields cannot say about the settings, e.g. that a number must lie in
    /// a range. The error should name the setting.
    ///
    /// # Errors
    ///
    /// When the method cannot work with these settings.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// A login reaches this method.
    ///
    /// # Errors
    ///
    /// When the method could not decide.
    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String>;

    /// The client has answered the challenge that the last call returned. A method that never
    /// challenges leaves this out.
    ///
    /// # Errors
    ///
    /// When the method could not decide.
    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let _ = (attempt, answer);
        Ok(Verdict::deny("an answer to a method that asks nothing"))
    }
}

/// What a method says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manifest {
    /// What it is usually called in a realm's policy, e.g. `wampcra`.
    pub name: &'static str,
    /// The author's version of it; usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line for a person.
    pub summary: &'static str,
    /// The kinds of credential that it looks up.
    pub credential_kinds: &'static [&'static str],
}

/// Makes a component of a [`Method`]. Once in a crate.
///
/// Outside WebAssembly it exports nothing, so that several methods can be linked into one native
/// test.
#[macro_export]
macro_rules! export {
    ($method:ty) => {
        const _: () = {
            type Component = $crate::method::Component<$method>;
            #[cfg(target_family = "wasm")]
    $crate::bindings::export!(Component with_types_in $crate::bindings);
            // So that the method is in use natively too.
            #[cfg(not(target_family = "wasm"))]
            const _: Component = Component::NEW;
        };
    };
}

/// The exports of the contract, answered by `M`.
#[derive(Debug)]
pub struct Component<M>(PhantomData<M>);

impl<M: Method> Component<M> {
    /// It holds nothing.
    pub const NEW: Self = Self(PhantomData);
}

impl<M: Method> about::Guest for Component<M> {
    fn describe() -> about::Manifest {
        let Manifest {
            name,
            version,
            summary,
            credential_kinds,
        } = M::MANIFEST;
        about::Manifest {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            credential_kinds: credential_kinds.iter().map(|&kind| kind.into()).collect(),
            extra: if M::CLEAR_SECRET {
                r#"{"clear-secret":true}"#.into()
            } else {
                "{}".into()
            },
        }
    }

    fn check(settings: String) -> Result<(), String> {
        settings::read::<M>(&settings)?.check()
    }
}

impl<M: Method> method::Guest for Component<M> {
    fn begin(attempt: Attempt) -> Result<Verdict, String> {
        settings::read::<M>(&attempt.settings)?.begin(&attempt)
    }

    fn resume(attempt: Attempt, answer: Answer) -> Result<Verdict, String> {
        settings::read::<M>(&attempt.settings)?.resume(&attempt, &answer)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::about::Guest as _;
    use super::method::Guest as _;
    use super::*;

    /// Lets in whoever has the lucky number for a session id.
    #[derive(Deserialize)]
    struct Lucky {
        number: u64,
    }

    impl Method for Lucky {
        const MANIFEST: Manifest = Manifest {
            name: "lucky",
            version: "1.2.3",
            summary: "lets the lucky in",
            credential_kinds: &["luck"],
        };

        fn check(&self) -> Result<(), String> {
            match self.number {
                0 => Err("`number`: no session has the id 0".into()),
                _ => Ok(()),
            }
        }

        fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
            if attempt.session == self.number {
                return Ok(Verdict::accept("someone", "guest"));
            }
            Ok(Verdict::deny("no luck"))
        }
    }

    fn check(settings: &str) -> Result<(), String> {
        Component::<Lucky>::check(settings.into())
    }

    fn attempt(session: u64, settings: &str) -> Attempt {
        Attempt {
            session,
            settings: settings.into(),
            ..Attempt::default()
        }
    }

    #[test]
    fn a_component_describes_its_method() {
        let manifest = Component::<Lucky>::describe();
        assert_eq!((&*manifest.name, &*manifest.version), ("lucky", "1.2.3"));
        assert_eq!(manifest.credential_kinds, ["luck"]);
        assert_eq!(manifest.extra, "{}");
    }

    #[test]
    fn settings_are_checked_by_the_library_then_by_the_method() {
        assert_eq!(check(r#"{ "number": 7 }"#), Ok(()));
        assert_eq!(check("{}").unwrap_err(), "missing field `number`");
        assert_eq!(
            check(r#"{ "number": 7, "numbr": 8 }"#).unwrap_err(),
            "unknown setting `numbr`"
        );
        assert_eq!(
            check(r#"{ "number": 0 }"#).unwrap_err(),
            "`number`: no session has the id 0"
        );
    }

    #[test]
    fn a_login_is_decided_with_the_realms_settings() {
        let begin = |session| Component::<Lucky>::begin(attempt(session, r#"{ "number": 7 }"#));
        assert!(matches!(begin(7), Ok(Verdict::Accept(identity)) if identity.authid == "someone"));
        assert!(matches!(begin(8), Ok(Verdict::Deny(reason)) if reason == "no luck"));
    }

    #[test]
    fn settings_that_cannot_be_read_decide_nothing() {
        assert!(Component::<Lucky>::begin(attempt(7, "{}")).is_err());
    }

    #[test]
    fn a_method_that_asks_nothing_takes_no_answer() {
        let attempt = attempt(7, r#"{ "number": 7 }"#);
        let verdict = Component::<Lucky>::resume(attempt, Answer::default());
        assert!(matches!(verdict, Ok(Verdict::Deny(_))));
    }
}
