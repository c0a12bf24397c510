//! From the text of a realm's settings to a method.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads settings, and refuses keys that `S` does not have, so that a misspelt setting is never
/// taken for its default.
pub(crate) fn read<S: DeserializeOwned>(text: &str) -> Result<S, String> {
    // By way of a `Map`, whose errors speak of no line and column: the person who reads them wrote
    // TOML, not this text.
    let settings: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| format!("the settings are not a JSON object: {error}"))?;

    let mut unknown = None;
    let mut note_unknown = |path: serde_ignored::Path| {
        unknown.get_or_insert_with(|| path.to_string());
    };
    let read = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(
        settings,
        &mut note_unknown,
    ));

    match (read, unknown) {
        (Err(error), _) if error.path().iter().next().is_none() => {
            Err(error.into_inner().to_string())
        }
        (Err(error), _) => Err(format!("`{}`: {}", error.path(), error.inner())),
        (Ok(_), Some(key)) => Err(format!("unknown setting `{key}`")),
        (Ok(settings), None) => Ok(settings),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(default)]
    struct Settings {
        digits: u8,
        window: Window,
    }

    impl Default for Settings {
        fn default() -> Self {
            Self {
                digits: 6,
                window: Window { steps: 1 },
            }
        }
    }

    #[derive(Debug, Deserialize)]
    struct Window {
        steps: u8,
    }

    fn error(text: &str) -> String {
        read::<Settings>(text).expect_err("these settings are wrong")
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let settings = read::<Settings>(r#"{ "digits": 8 }"#).unwrap();
        assert_eq!((settings.digits, settings.window.steps), (8, 1));
    }

    #[test]
    fn an_unknown_key_is_named_at_any_depth() {
        assert_eq!(error(r#"{ "digit": 8 }"#), "unknown setting `digit`");
        assert_eq!(
            error(r#"{ "window": { "steps": 1, "step": 2 } }"#),
            "unknown setting `window.step`"
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named() {
        assert_eq!(
            error(r#"{ "window": { "steps": "two" } }"#),
            r#"`window.steps`: invalid type: string "two", expected u8"#
        );
        assert_eq!(
            error(r#"{ "digits": 600 }"#),
            "`digits`: invalid value: integer `600`, expected u8"
        );
    }

    #[test]
    fn a_missing_key_is_named() {
        assert_eq!(
            error(r#"{ "window": {} }"#),
            "`window`: missing field `steps`"
        );
    }

    #[test]
    fn settings_that_are_no_object_are_refused() {
        for text in ["[]", "null", "{", ""] {
            assert!(
                error(text).starts_with("the settings are not a JSON object: "),
                "{text:?}"
            );
        }
    }
}
