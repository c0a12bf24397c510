use proptest::prelude::*;

use super::*;
use crate::wamp::Uri;

#[test]
fn what_is_not_listed_is_not_allowed() {
    let grants = grants(&["call exact com.a"]);
    assert!(grants.allow(Action::Call, "com.a"));
    assert!(!grants.allow(Action::Publish, "com.a"));
    assert!(!grants.allow(Action::Call, "com.b"));
    let nobody = Permissions::default().role("guest");
    assert!(!nobody.allow(Action::Call, "com.a"));
}

#[test]
fn the_most_specific_permission_decides() {
    let grants = grants(&[
        "call prefix com.",
        "publish prefix com.secret.",
        "call exact com.secret.door",
        "publish wildcard com..x",
    ]);
    assert!(grants.allow(Action::Call, "com.a"));
    assert!(!grants.allow(Action::Call, "com.secret.a"));
    assert!(grants.allow(Action::Call, "com.secret.door"));
    assert!(
        !grants.allow(Action::Publish, "com.a.x"),
        "a prefix wins over a wildcard"
    );
}

#[test]
fn a_pattern_must_be_covered_as_a_whole() {
    let grants = grants(&["subscribe prefix com.example."]);
    let allow = |pattern| grants.allow_all(Action::Subscribe, &pattern_of(pattern));
    assert!(allow("prefix com.example."));
    assert!(allow("prefix com.example.a"));
    assert!(allow("wildcard com.example..a"));
    assert!(allow("wildcard com.example."));
    assert!(!allow("prefix com."));
    assert!(
        !allow("prefix com.example"),
        "com.example2 begins with it too"
    );
    assert!(!allow("wildcard com..a"));
    assert!(!allow("wildcard ..a"));
}

#[test]
fn a_wildcard_permission_covers_wildcards_that_are_no_wider() {
    let grants = grants(&["subscribe wildcard com..a."]);
    let allow = |pattern| grants.allow_all(Action::Subscribe, &pattern_of(pattern));
    assert!(allow("wildcard com..a."));
    assert!(allow("wildcard com.x.a."));
    assert!(!allow("wildcard com..."));
    assert!(!allow("wildcard com..a"));
    assert!(!allow("prefix com.x.a."), "a prefix has no last component");
}

#[test]
fn an_exception_inside_of_the_pattern_forbids_all_of_it() {
    let grants = grants(&[
        "subscribe prefix com.",
        "call prefix com.secret.",
        "call exact com.a.x",
    ]);
    let allow = |pattern| grants.allow_all(Action::Subscribe, &pattern_of(pattern));
    assert!(allow("prefix com.b"));
    assert!(!allow("prefix com."));
    assert!(!allow("prefix com.sec"));
    assert!(!allow("wildcard com..x"));
    assert!(!allow("wildcard com..y"), "it matches com.secret.y");
    assert!(allow("wildcard com.b.y."));
}

proptest! {
    #[test]
    fn an_allowed_pattern_matches_allowed_uris_only(
        listed in proptest::collection::vec((any_pattern(), any::<bool>()), 1..6),
        asked in any_pattern(),
        uris in proptest::collection::vec("[ab]{1,2}(\\.[ab]{1,2}){0,3}", 40),
    ) {
        let Some(asked) = asked else { return Ok(()) };
        let permissions: Permissions = listed
            .into_iter()
            .filter_map(|(pattern, allowed)| Some((pattern?, allowed)))
            .map(|(pattern, allowed)| Permission {
                role: "user".into(),
                pattern,
                allow: allowed.then_some(Action::Subscribe).into_iter().collect(),
            })
            .collect();
        let grants = permissions.role("user");
        if grants.allow_all(Action::Subscribe, &asked) {
            for uri in uris.iter().filter(|uri| asked.matches(uri)) {
                prop_assert!(Uri::parse(uri).is_ok());
                prop_assert!(grants.allow(Action::Subscribe, uri), "{}", uri);
            }
        }
    }
}

fn any_pattern() -> impl Strategy<Value = Option<Pattern>> {
    let policy = prop_oneof![
        Just(MatchPolicy::Exact),
        Just(MatchPolicy::Prefix),
        Just(MatchPolicy::Wildcard)
    ];
    ("[ab]{0,1}(\\.[ab]{0,1}){0,3}", policy)
        .prop_map(|(text, policy)| Pattern::parse(&text, policy).ok())
}

/// Each line: what is allowed, how the URI matches, the URI.
fn grants(lines: &[&str]) -> Arc<Grants> {
    let permissions: Permissions = lines
        .iter()
        .map(|line| {
            let (action, pattern) = line.split_once(' ').unwrap();
            let action = match action {
                "call" => Action::Call,
                "publish" => Action::Publish,
                _ => Action::Subscribe,
            };
            Permission {
                role: "user".into(),
                pattern: pattern_of(pattern),
                allow: [action].into_iter().collect(),
            }
        })
        .collect();
    permissions.role("user")
}

fn pattern_of(text: &str) -> Pattern {
    let (policy, uri) = text.split_once(' ').unwrap();
    let policy = match policy {
        "prefix" => MatchPolicy::Prefix,
        "wildcard" => MatchPolicy::Wildcard,
        _ => MatchPolicy::Exact,
    };
    Pattern::parse(uri, policy).unwrap()
}
