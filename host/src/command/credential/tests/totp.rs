//! Apps that show codes.

use super::*;

/// The octets "12345678901234567890".
const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

#[test]
fn an_app_is_enrolled_by_an_address_a_picture_and_recovery_codes() {
    let house = House::new();
    let added = house
        .add("totp alice --role user --digits 8 --recovery 3", "")
        .unwrap();
    assert!(!format!("{added:?}").contains("secret="));
    let handout = added.secret.unwrap();
    let lines: Vec<&str> = handout.expose().lines().collect();
    let address = lines.iter().find(|line| line.starts_with("otpauth://"));
    assert!(address.unwrap().contains("/acme:alice?secret="));
    assert!(
        address
            .unwrap()
            .ends_with("&algorithm=SHA1&digits=8&period=30")
    );
    assert!(lines.iter().any(|line| line.contains('▀')));
    let codes = lines
        .iter()
        .filter(|line| line.starts_with("  ") && line.len() == 21);
    assert_eq!(codes.count(), 3);

    // Each has a seed and codes of their own.
    let others = house
        .add("totp bob --role user --digits 8", "")
        .unwrap()
        .secret;
    assert!(!others.unwrap().expose().contains(address.unwrap()));
}

#[test]
fn a_seed_that_exists_is_imported() {
    let house = House::new();
    house
        .add(
            "totp alice --role user --import --recovery 0",
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n",
        )
        .map(|added| assert!(added.secret.unwrap().expose().contains(SEED)))
        .unwrap();
    assert!(matches!(
        house.material(&Kind::totp(), "alice"),
        Material::Key(_)
    ));
    for seed in ["0123\n", "GEZDGNBV\n", ""] {
        assert!(house.add("totp bob --role user --import", seed).is_err());
    }
}

#[test]
fn an_app_unlike_the_others_is_told() {
    let house = House::new();
    house.add("totp alice --role user", "").unwrap();
    let warning = house
        .add("totp bob --role user --digits 8", "")
        .unwrap()
        .remark;
    assert!(warning.unwrap().starts_with(
        "warning: bob has algorithm \"SHA1\", digits 8, period 30, and alice, the oldest totp \
         credential of realm acme, has algorithm \"SHA1\", digits 6, period 30."
    ));
}
