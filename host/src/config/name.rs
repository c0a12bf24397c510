//! The names in a configuration file. Each type can only hold a name that follows its rule.

use std::{
    borrow::Borrow,
    fmt::{self, Display},
    net::SocketAddr,
    path::PathBuf,
};

use super::scalar::{Scalar, Written};
use crate::wamp::{Uri, is_reserved};

/// The longest name, in octets. It fits a file name with its ending, and a line of a log.
const LONGEST_NAME: usize = 128;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $form:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name, if the text follows the rule.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                let rule: fn(&str) -> bool = $rule;
                (text.len() <= LONGEST_NAME && rule(text)).then(|| Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// Equal, ordered and hashed like its text, so maps by name are searched by text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Scalar for $name {
            const FORM: &'static str = $form;

            fn read(written: &Written<'_>) -> Option<Self> {
                Self::new(written.text()?)
            }
        }
    };
}

name! {
    /// A realm: a WAMP URI by the loose rule, whose first component is not `wamp`; at most 128
    /// octets.
    RealmName,
    "a WAMP URI outside \"wamp.\", such as \"realm1\" or \"com.example\"",
    |text| Uri::check(text).is_ok() && !is_reserved(text)
}

name! {
    /// A procedure: a WAMP URI by the loose rule, whose first component is not `wamp`; at most 128
    /// octets.
    ProcedureName,
    "a procedure's URI outside \"wamp.\", such as \"com.example.authenticate\"",
    |text| Uri::check(text).is_ok() && !is_reserved(text)
}

name! {
    /// A role of a realm: 1 to 128 octets, without white space and control characters.
    RoleName,
    "a role without white space, such as \"user\"",
    |text| !text.is_empty() && text.chars().all(is_visible)
}

name! {
    /// A step of a login, the CHALLENGE's `AuthMethod`: 1 to 64 ASCII letters, digits, `-`, `_` and
    /// `.`, beginning with a letter or a digit; no dot at the end, and no two together.
    StepName,
    "a method's name of letters, digits, '-', '_' and '.', such as \"wampcra\"",
    // With `.wasm` it is a component's name: `MethodConfig::for_step` relies on it.
    |text| text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with('.')
        && !text.contains("..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

name! {
    /// The file of a component inside the methods directory: a plain file name that ends in
    /// `.wasm`, so that joining it to the directory cannot lead out of there. At most 128 octets.
    ComponentName,
    "a file name in the methods directory that ends in .wasm, such as \"wampcra.wasm\"",
    |text| text.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty())
        && !text.starts_with('.')
        && !text.contains("..")
        // `:` has a meaning of its own in a path on Windows.
        && text.chars().all(|c| (is_visible(c) || c == ' ') && !r"/\:".contains(c))
}

name! {
    /// The file of a realm's secret, inside the directory of the realm's secrets: 1 to 128 ASCII
    /// letters, digits, `-`, `_` and `.`, beginning with a letter or a digit, and no two dots
    /// together, so that joining it to the directory cannot lead out of there.
    SecretName,
    "a file name of letters, digits, '-', '_' and '.' in the directory of the realm's secrets, such as \"auth.key\"",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.contains("..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

name! {
    /// A key set of a realm, as methods call it: 1 to 64 ASCII letters, digits, `-` and `_`.
    KeySetName,
    "a name of letters, digits, '-' and '_', such as \"id\"",
    |text| (1..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

name! {
    /// The file of a key set, beside the realm's file: 1 to 128 ASCII letters, digits, `-`, `_` and
    /// `.`, beginning with a letter or a digit, and no two dots together, so that joining it to the
    /// directory cannot lead out of there. No realm's file is one.
    KeyFileName,
    "a file name of letters, digits, '-', '_' and '.' in the directory of the realm's file, such as \"id.jwks\"",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.contains("..")
        && text.rsplit_once('.').is_none_or(|(_, ending)| !ending.eq_ignore_ascii_case("toml"))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

name! {
    /// The path of a listener's URL: it begins with `/`, and has no query and no fragment.
    UrlPath,
    "a URL's path, such as \"/ws\"",
    |text| text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic() && !"?#".contains(c))
}

impl UrlPath {
    /// `/ws`, where WAMP's clients look first.
    pub(super) fn ws() -> Self {
        Self("/ws".into())
    }
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control()
}

impl Scalar for SocketAddr {
    const FORM: &'static str = "an IP address and a port, such as \"127.0.0.1:8080\"";

    fn read(written: &Written<'_>) -> Option<Self> {
        written.text()?.parse().ok()
    }

    fn advice(written: &Written<'_>) -> String {
        let loopback = written
            .text()
            .and_then(|text| text.strip_prefix("localhost:"))
            .and_then(|port| port.parse::<u16>().ok());
        match loopback {
            Some(port) => format!("a name will not do: did you mean \"127.0.0.1:{port}\"?"),
            None => format!("it must be {}", Self::FORM),
        }
    }
}

impl Scalar for PathBuf {
    const FORM: &'static str = "a path, such as \"realms\" or \"/var/lib/countersign/realms\"";

    fn read(written: &Written<'_>) -> Option<Self> {
        let text = written.text()?;
        // No file system takes a NUL.
        (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_component_stays_in_its_directory() {
        for good in ["wampcra.wasm", "my method-2.wasm", "org.example.x.wasm"] {
            assert!(ComponentName::new(good).is_some(), "{good:?}");
        }
        for bad in [
            "",
            ".wasm",
            "a.wat",
            "a.WASM",
            "a/b.wasm",
            "/a.wasm",
            "../a.wasm",
            r"a\b.wasm",
            "a..wasm",
            ".a.wasm",
            "a\0.wasm",
            "a\n.wasm",
            "C:a.wasm",
        ] {
            assert_eq!(ComponentName::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_file_of_keys_is_beside_the_realms_file_and_is_none_itself() {
        for good in ["id.jwks", "id.example.com.json", "keys", "toml.json"] {
            assert!(KeyFileName::new(good).is_some(), "{good:?}");
        }
        for bad in [
            "",
            ".keys",
            "..",
            "../credentials.db",
            "/etc/passwd",
            "a/b",
            r"a\b",
            "a..b",
            "acme.toml",
            "acme.TOML",
        ] {
            assert!(KeyFileName::new(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_stays_in_its_directory() {
        for good in ["auth.key", "a", "2024-key_1"] {
            assert!(SecretName::new(good).is_some(), "{good:?}");
        }
        for bad in [
            "",
            ".",
            "..",
            ".key",
            "../x",
            "a/b",
            "/etc/shadow",
            r"a\b",
            "a..b",
            "a\0",
        ] {
            assert_eq!(SecretName::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn steps_have_plain_names() {
        for good in [
            "wampcra",
            "2fa",
            "org.example.x",
            "wamp-scram",
            "x_",
            &"x".repeat(64),
        ] {
            assert!(StepName::new(good).is_some(), "{good:?}");
        }
        for bad in [
            "",
            ".x",
            "x.",
            "-x",
            "a..b",
            "a/b",
            "a b",
            "ä",
            &"x".repeat(65),
        ] {
            assert_eq!(StepName::new(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_step_has_a_component_by_default(text in "[a-z0-9._/ -]{0,70}") {
            if StepName::new(&text).is_some() {
                let component = format!("{text}.wasm");
                prop_assert!(ComponentName::new(&component).is_some());
            }
        }
    }

    #[test]
    fn realms_are_uris_and_not_reserved() {
        for good in ["realm1", "com.example", "wampum", "com.wamp", "Ärger"] {
            assert!(RealmName::new(good).is_some(), "{good:?}");
        }
        for bad in [
            "", "wamp", "wamp.x", ".a", "a.", "a..b", "a b", "a#b", "a\u{7}",
        ] {
            assert_eq!(RealmName::new(bad), None, "{bad:?}");
        }
    }
}
