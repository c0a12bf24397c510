use super::realm_says;

#[test]
fn roles_and_logins() {
    realm_says(
        "roles = []",
        &[r#"1:9: "roles" is empty; list the roles that a session can have, such as "user""#],
    );
    realm_says(
        "roles = ['ä', 'ä']",
        &[r#"1:15: "ä" is in "roles" twice; remove one"#],
    );
    realm_says(
        "[[login]]\nsteps = []",
        &[r#"4:9: "steps" is empty, which would let everyone in; name at least one method"#],
    );
    realm_says(
        "[[login]]\nsteps = ['a', 'a']",
        &[r#"4:15: "a" is in "steps" twice; remove one"#],
    );
    realm_says(
        "[[login]]\nsteps = ['a']\n[[login]]\nsteps = ['a']",
        &["5:1: an earlier [[login]] has the same steps; remove one"],
    );
}

#[test]
fn steps() {
    let says = |steps: &str, expected: &str| {
        realm_says(&format!("[[login]]\nsteps = [{steps}]"), &[expected]);
    };
    says(
        "'a', { method = 'b', wen = 'enrolled' }",
        r#"4:31: unknown key "wen" in [[login.steps]]; did you mean "when"?"#,
    );
    says(
        "'a', { method = 'b', when = 'enroled' }",
        r#"4:38: "when" is "enroled"; did you mean "enrolled"?"#,
    );
    says(
        "'a', { method = 'b', when = true }",
        r#"4:38: "when" is true; known are "always", "enrolled""#,
    );
    says(
        "'a', { when = 'enrolled' }",
        r#"4:15: the key "method" is missing in [[login.steps]]; it must be a method's name of letters, digits, '-', '_' and '.', such as "wampcra""#,
    );
    says(
        "{ method = 'a', when = 'enrolled' }, 'b'",
        r#"4:33: "a" is the first step, which names the user, so it cannot be skipped; remove "when""#,
    );
    says(
        "{ method = 'a', may_change = ['role'] }, 'b'",
        r#"4:40: "a" is the first step, so there is nothing yet to change; remove "may_change""#,
    );
    says(
        "'a', { method = 'b', may_change = ['authid'] }",
        r#"4:45: an item of "may_change" is "authid"; known are "role""#,
    );
    says(
        "'a', { method = 'a', when = 'enrolled' }",
        r#"4:26: "a" is in "steps" twice; remove one"#,
    );
}

#[test]
fn assurance() {
    let says = |role: &str, expected: &str| {
        let logins = "[[login]]\nsteps = ['wampcra', 'totp']\n[[login]]\nsteps = ['cryptosign']";
        realm_says(&format!("roles = ['user', {role}]\n{logins}"), &[expected]);
    };
    says(
        "{ role = 'admin', requires = ['topt'] }",
        r#"1:48: no [[login]] has the step "topt"; did you mean "totp"?"#,
    );
    says(
        "{ role = 'admin', requires = ['totp', 'cryptosign'] }",
        r#"1:27: no [[login]] has all steps that "admin" requires, so nobody could have it; put them into one, or require fewer"#,
    );
    says(
        "{ role = 'admin', require = ['totp'] }",
        r#"1:36: unknown key "require" in [[roles]]; did you mean "requires"?"#,
    );
    says(
        "{ role = 'user', requires = ['totp'] }",
        r#"1:27: "user" is in "roles" twice; remove one"#,
    );
    realm_says(
        "roles = [{ role = 'admin', requires = ['totp'] }]",
        &[r#"1:40: no [[login]] has the step "totp"; add one"#],
    );
}

#[test]
fn cookies() {
    realm_says(
        "[cookie]\nlifetime = '2d'\nlongest = '1d'",
        &[
            r#"3:1: "longest" is less than "lifetime", which could never be reached; write longest = "2d" or more"#,
        ],
    );
    realm_says(
        "[cookie]\nlifetime = '401d'",
        &[r#"4:12: "lifetime" is "401d"; choose from "1m" to "400d""#],
    );
    realm_says(
        "[cookie]\nlifetme = '1d'",
        &[r#"4:1: unknown key "lifetme" in [cookie]; did you mean "lifetime"?"#],
    );
}
