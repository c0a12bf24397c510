use std::time::Duration;

use super::*;
use crate::wamp::{Action, Actions, MatchPolicy};

#[test]
#[expect(clippy::too_many_lines, reason = "everything")]
fn a_realm_that_says_everything() {
    let realm = realm(FULL_REALM).unwrap();
    assert_eq!(realm.name.as_str(), "acme");
    assert!(realm.roles.contains("user") && realm.roles.contains("guest"));
    assert_eq!(realm.longest_session, Some(Duration::from_hours(12)));
    assert_eq!(realm.cleartext, Cleartext::Refuse);
    let cookie = CookieTerms {
        lifetime: Duration::from_hours(24),
        longest: Duration::from_hours(48),
    };
    assert_eq!(realm.cookie, Some(cookie));
    let steps = |login: &Login| login.names().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(steps(&realm.logins[0]), ["wampcra", "totp"]);
    assert_eq!(steps(&realm.logins[1]), ["anonymous"]);
    let [wampcra, totp] = &realm.logins[0].steps[..] else {
        panic!("two steps")
    };
    assert_eq!((wampcra.when, wampcra.may_change.len()), (When::Always, 0));
    assert_eq!(
        (totp.when, &totp.may_change),
        (When::Enrolled, &[Change::Role].into())
    );
    assert_eq!(realm.assurance.len(), 1);
    assert!(realm.assurance["admin"].contains("totp"));

    let totp = &realm.methods["totp"];
    assert_eq!(totp.component.as_str(), "totp-2.wasm");
    assert_eq!(
        totp.settings.to_json(),
        r#"{"digits":6,"issuers":["a","b"],"more":{"deep":-1},"skew":0.5,"strict":true}"#,
    );
    let limits = CallLimits {
        time: Duration::from_millis(20),
        wall: Duration::from_secs(1),
        memory: Octets::mib(16),
        input: Octets::kib(32),
        output: Octets::kib(1),
        log: Octets::new(512),
        state: Octets::new(256),
        handles: 16,
        host_calls: 500,
        passwords: 1,
        requests: 2,
        rounds: 3,
    };
    assert_eq!(totp.limits, limits);
    assert_eq!(totp.instances, Instances::Warm);
    let digest = totp.digest.as_ref().map(ComponentDigest::octets);
    assert_eq!(digest.map(|octets| octets[0]), Some(0x2c));
    assert_eq!(totp.rollback, RollbackTerms { faults: 2, of: 9 });
    assert_eq!(totp.cleartext, Some(Cleartext::Refuse));
    assert_eq!(totp.conform, Conform::Required);
    let limits = RealmLimits {
        logins: 100,
        calls: 8,
        queue: 16,
        wait: Duration::from_secs(2),
    };
    assert_eq!(realm.limits, limits);
    let guesses = GuessLimits {
        most: 3,
        lock: Duration::from_secs(30),
        longest: Duration::from_hours(2),
        total: 50,
        first_step: FirstStep::Counted,
    };
    assert_eq!(totp.guesses, guesses);
    assert_eq!(
        totp.imports,
        [Capability::Credentials, Capability::Wasi, Capability::Http].into()
    );
    let origins: Vec<_> = totp.origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://auth.example.com"]);
    let auth_key = SecretName::new("auth.key").unwrap();
    assert_eq!(totp.authorization, Some(Authorization::Signature(auth_key)));

    let procedures = realm.methods["ticket"].procedures.as_ref().unwrap();
    assert_eq!(procedures.realm.as_str(), "admin");
    assert!(procedures.allow.contains("com.acme.authenticate"));
    assert_eq!(procedures.allow.len(), 2);
    assert_eq!(procedures.timeout, Duration::from_secs(2));
    assert!(
        realm.methods["ticket"]
            .imports
            .contains(&Capability::Procedures)
    );

    let [authenticates] = &realm.authenticates[..] else {
        panic!("one realm")
    };
    assert!(authenticates.allows("other", "com.acme.authenticate"));
    assert!(!authenticates.allows("other", "com.acme.b"));
    assert!(!authenticates.allows("third", "com.acme.authenticate"));
    let minutes = Duration::from_mins;
    let id = KeySetPlace::Remote(RemoteKeySet {
        url: KeySetUrl::new("https://id.example.com/keys").unwrap(),
        refresh: minutes(120),
        keep: minutes(180),
        pause: minutes(1),
    });
    let backup = KeySetPlace::File("realms/backup.jwks".into());
    let places: Vec<_> = realm
        .key_sets
        .iter()
        .map(|(name, place)| (name.as_str(), place))
        .collect();
    assert_eq!(places, [("backup", &backup), ("id", &id)]);

    let [prefix, wildcard, secret, exact] = &realm.permissions[..] else {
        panic!("four permissions")
    };
    assert_eq!(
        (prefix.pattern.policy(), prefix.pattern.as_str()),
        (MatchPolicy::Prefix, "com.acme.")
    );
    assert_eq!(
        prefix.allow,
        [Action::Call, Action::Subscribe].into_iter().collect()
    );
    assert!(prefix.allow.contains(Action::Call) && !prefix.allow.contains(Action::Publish));
    assert_eq!(
        (wildcard.pattern.policy(), wildcard.allow),
        (MatchPolicy::Wildcard, Actions::default())
    );
    assert_eq!(
        (secret.pattern.as_str(), secret.allow),
        ("com.acme.secret.", Actions::default())
    );
    assert_eq!(
        (exact.pattern.policy(), exact.role.as_str()),
        (MatchPolicy::Exact, "guest")
    );
}

#[test]
fn a_step_without_a_table_has_its_defaults() {
    let realm = realm(FULL_REALM).unwrap();
    let wampcra = &realm.methods["wampcra"];
    assert_eq!(wampcra.component.as_str(), "wampcra.wasm");
    assert_eq!(wampcra.settings.to_json(), "{}");
    assert_eq!(wampcra.limits, CallLimits::default());
    assert_eq!(wampcra.instances, Instances::Fresh);
    let what_reaches_outside = [
        Capability::Procedures,
        Capability::Http,
        Capability::KeySets,
    ]
    .into();
    assert_eq!(
        &Capability::ALL.into() - &wampcra.imports,
        what_reaches_outside
    );
    assert_eq!(wampcra.procedures, None);
    assert!(wampcra.origins.is_empty() && wampcra.authorization.is_none());
    assert_eq!(wampcra.guesses, GuessLimits::default());
}

#[test]
fn browsers_are_remembered_where_a_step_or_a_table_says_so() {
    let terms = |text: &str| {
        realm(&format!("roles = [\"user\"]\n{text}"))
            .unwrap()
            .cookie
    };
    let days = |days: u64| Duration::from_hours(24 * days);
    let default = CookieTerms {
        lifetime: days(7),
        longest: days(30),
    };
    assert_eq!(terms("[[login]]\nsteps = [\"ticket\"]"), None);
    assert_eq!(terms("[[login]]\nsteps = [\"cookie\"]"), Some(default));
    assert_eq!(
        terms("[[login]]\nsteps = [\"cookie\", \"totp\"]"),
        Some(default)
    );
    assert_eq!(terms("[cookie]"), Some(default));
    let short = CookieTerms {
        lifetime: days(1),
        ..default
    };
    assert_eq!(terms("[cookie]\nlifetime = \"1d\""), Some(short));
    // Who wants it longer than usual need not say so twice.
    let long = CookieTerms {
        lifetime: days(90),
        longest: days(90),
    };
    assert_eq!(terms("[cookie]\nlifetime = \"90d\""), Some(long));
}

#[test]
fn a_realm_needs_only_roles_and_then_lets_nobody_in() {
    let realm = realm("roles = ['user']").unwrap();
    assert!(realm.logins.is_empty() && realm.methods.is_empty() && realm.permissions.is_empty());
    assert_eq!(realm.longest_session, None);
}

#[test]
fn settings_do_not_show_in_debug_output() {
    let text = "roles = ['a']\nlogin = [{ steps = ['x'] }]\nmethod.x.settings.token = 'hunter2'";
    let shown = format!("{:?}", realm(text).unwrap());
    assert!(
        shown.contains("token") && !shown.contains("hunter2"),
        "{shown}"
    );
}
