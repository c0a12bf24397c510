//! T24: no slip of the hand opens a door.

use proptest::prelude::*;

use super::{FULL_OPERATOR, FULL_REALM, operator, permissive::wider_realm, realm};
use crate::config::ConfigError;

/// In these respects nothing restricts by being there.
const DOORS: [&str; 5] = [
    "roles",
    "logins",
    "permissions",
    "key_sets",
    "authenticates",
];

#[test]
fn tables_that_are_gone_let_nobody_in() {
    let original = realm(FULL_REALM).unwrap();
    let tables: Vec<&str> = FULL_REALM.split("\n\n").collect();
    for first in 1..tables.len() {
        for last in first..tables.len() {
            let mut rest = tables.clone();
            rest.drain(first..=last);
            if let Ok(changed) = realm(&rest.join("\n\n")) {
                let wider = wider_realm(&changed, &original);
                assert!(wider.is_disjoint(&DOORS.into()), "{wider:?}: {rest:#?}");
            }
        }
    }
}

#[test]
fn a_key_that_is_misspelt_is_never_passed_over() {
    let check = |text: &str, parse: fn(&str) -> Option<ConfigError>| {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some((key, value)) = line.split_once(" = ") else {
                continue;
            };
            // A method's own words are not ours to know; and there is more than one key in a table that
            // is an item of a list.
            if key == "settings.role" || key.contains('{') {
                continue;
            }
            let misspelt = format!("{key}x = {value}");
            let mut lines = lines.clone();
            lines[at] = &misspelt;
            let error = parse(&lines.join("\n")).expect(line).to_string();
            assert!(error.contains(&format!("did you mean {key:?}?")), "{error}");
        }
    };
    check(FULL_REALM, |text| realm(text).err());
    check(FULL_OPERATOR, |text| operator(text).err());
}

#[derive(Clone, Debug)]
enum Slip {
    Delete,
    Insert(char),
    Replace(char),
}

fn slip() -> impl Strategy<Value = Slip> {
    let character = || {
        prop_oneof![
            prop::sample::select(vec![
                '"', '\'', '[', ']', '{', '}', '=', '.', ',', '#', '\n', '\r', ' ', '\\', '0', 'ä',
                '\0', '_',
            ]),
            any::<char>()
        ]
    };
    prop_oneof![
        Just(Slip::Delete),
        character().prop_map(Slip::Insert),
        character().prop_map(Slip::Replace),
    ]
}

fn slipped(text: &str, at: prop::sample::Index, slip: &Slip) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = at.index(characters.len());
    match slip {
        Slip::Delete => drop(characters.remove(at)),
        Slip::Insert(character) => characters.insert(at, *character),
        Slip::Replace(character) => characters[at] = *character,
    }
    characters.into_iter().collect()
}

/// Every problem stands at a place that is there, and says something.
fn check_positions(error: ConfigError, text: &str) {
    let ConfigError::Wrong { problems, .. } = error else {
        panic!("{error}")
    };
    assert!(!problems.is_empty());
    for problem in problems {
        // An error at the end of a file stands after its last line.
        let lines: Vec<_> = text.split('\n').collect();
        let line = lines
            .get(problem.line - 1)
            .unwrap_or_else(|| panic!("{problem}"));
        assert!(
            (1..=line.chars().count() + 1).contains(&problem.column),
            "{problem}"
        );
        assert!(
            !problem.message.is_empty() && !problem.message.contains('\n'),
            "{problem}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_wrong_character_is_taken_or_pointed_at(
        slips in prop::collection::vec((any::<prop::sample::Index>(), slip()), 1..3),
    ) {
        let [realm_text, operator_text] = [FULL_REALM, FULL_OPERATOR]
            .map(|text| slips.iter().fold(text.to_owned(), |text, (at, slip)| slipped(&text, *at, slip)));
        if let Err(error) = realm(&realm_text) {
            check_positions(error, &realm_text);
        }
        if let Err(error) = operator(&operator_text) {
            check_positions(error, &operator_text);
        }
    }

    #[test]
    fn any_text_is_taken_or_pointed_at(text in "(\\PC|[\\[\\]={}\"'.,#\n 0-9a-z]){0,80}") {
        if let Err(error) = realm(&text) {
            check_positions(error, &text);
        }
    }
}
