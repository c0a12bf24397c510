use super::{
    super::{ConfigError, Operator, Realm},
    *,
};

const OPERATOR: &str = "[[listener]]\naddress = '127.0.0.1:80'\n";
const REALM: &str = "roles = ['user']\n[[login]]\nsteps = ['a']\n";

fn ceilings(text: &str) -> Ceilings {
    let file = Path::new("etc/countersign.toml");
    let operator = Operator::parse(&format!("{OPERATOR}{text}"), file);
    operator.expect("it is right").ceilings
}

fn realm(text: &str, ceilings: &Ceilings) -> Result<Realm, ConfigError> {
    let file = Path::new("realms/acme.toml");
    Realm::parse(&format!("{REALM}{text}"), file, ceilings)
}

#[test]
fn what_is_above_a_ceiling_is_an_error_that_names_both_files() {
    let ceilings = ceilings(
        "[limits.call]\nmemory = '16MiB'\nhost_calls = 100\n[limits.realm]\nwait = '1s'\n",
    );
    let text = "[method.a.limits]\nmemory = '32MiB'\nhost_calls = 101\n[limits]\nwait = '2s'\n";
    let error = realm(text, &ceilings).expect_err("too much");
    let expected = [
        "realms/acme.toml:5:10: \"memory\" is \"32MiB\", more than the operator lets realms have; \
         write \"16MiB\" or less, or have \"memory\" raised under [limits.call] in \
         etc/countersign.toml",
        "realms/acme.toml:6:14: \"host_calls\" is 101, more than the operator lets realms have; \
         write 100 or less, or have \"host_calls\" raised under [limits.call] in \
         etc/countersign.toml",
        "realms/acme.toml:8:8: \"wait\" is \"2s\", more than the operator lets realms have; \
         write \"1s\" or less, or have \"wait\" raised under [limits.realm] in \
         etc/countersign.toml",
    ];
    assert_eq!(error.to_string(), expected.join("\n"));
}

#[test]
fn what_a_realm_does_not_say_is_its_default_or_less() {
    let none = Ceilings::default();
    let plain = realm("", &none).expect("it is right");
    assert_eq!(plain.methods["a"].limits, CallLimits::default());
    assert_eq!(plain.limits, RealmLimits::default());

    let low = ceilings("[limits.call]\ntime = '20ms'\n[limits.realm]\ncalls = 4\n");
    for text in ["", "[method.a]\n", "[method.a.limits]\nlog = '1KiB'\n"] {
        let realm = realm(text, &low).expect("it is right");
        assert_eq!(realm.methods["a"].limits.time, Duration::from_millis(20));
        assert_eq!(realm.limits.calls, 4);
    }
}

#[test]
fn a_realm_may_have_what_the_operator_lets_it() {
    let high = ceilings("[limits.realm]\ncalls = 200\n");
    let text = "[limits]\ncalls = 200\n";
    assert_eq!(realm(text, &high).expect("it is right").limits.calls, 200);
    let error = realm(text, &Ceilings::default()).expect_err("nobody has raised it");
    assert!(error.to_string().contains("write 64 or less"), "{error}");
}
