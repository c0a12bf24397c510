//! Which realm may ask which.

use countersign::wamp::reason;
use countersign_tests::{Callee, Client, hello};

use crate::house::{ADMIN, AUTHENTICATE, CONSENT, REALM, denied, house, welcome, why, with_ticket};

#[tokio::test]
async fn t19_a_realm_that_does_not_agree_is_not_asked() {
    let deployment = house(REALM);
    deployment.realm("admin", ADMIN);
    let (good, said) = deployment.check().await;
    assert!(!good);
    // Of several that it names, the first is told of.
    let mend = |procedure| {
        format!("add there: [[authenticates]] realm = \"realm1\", procedures = [\"{procedure}\"]")
    };
    assert!(
        said.contains("realm1.toml: the method cryptosign would ask"),
        "{said}"
    );
    assert!(
        said.contains("admin.toml does not agree") && said.contains(&mend("com.acme.key")),
        "{said}"
    );

    let router = deployment.start().await;
    let stays_out = router.log.mention("the realm stays out").await;
    assert!(
        stays_out.message().contains(&mend("com.acme.key")),
        "{stays_out}"
    );
    let client = Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await;
    assert_eq!(client.refusal().await.reason, reason::NO_SUCH_REALM);

    // What the other realm's file says is noticed, and holds for the very next call.
    router
        .deployment
        .realm("admin", &format!("{ADMIN}{CONSENT}"));
    router.log.generation("realm1", 1).await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut client = with_ticket(&router, "alice", "x").await;
    let (request, _) = callee.asked().await;
    callee.returns(request, vec!["user".into()]).await;
    welcome(&mut client).await;

    let less = CONSENT.replace("\"com.acme.authenticate\", ", "");
    router.deployment.realm("admin", &format!("{ADMIN}{less}"));
    let not_reloaded = router.log.mention("not reloaded").await;
    assert!(
        not_reloaded.message().contains(&mend(AUTHENTICATE)),
        "{not_reloaded}"
    );
    denied(with_ticket(&router, "alice", "x").await).await;
    let said = why(&router, 2).await;
    assert!(said.contains("does not let this one ask for it"), "{said}");
}

#[tokio::test]
async fn a_misspelt_realm_is_told_and_so_is_a_method_without_a_grant() {
    let deployment = house(&REALM.replace("realm = \"admin\"", "realm = \"admn\""));
    let (_, said) = deployment.check().await;
    assert!(said.contains("did you mean \"admin\"?"), "{said}");
    let ungranted = "roles = [\"user\"]\n[[login]]\nsteps = [\"procedure\"]\n";
    deployment.realm("realm1", ungranted);
    let (good, said) = deployment.check().await;
    assert!(
        !good && said.contains("countersign:auth/procedures@0.1.0"),
        "{said}"
    );
    assert!(
        said.contains("say which in its table: procedures = {"),
        "{said}"
    );
}

/// A callee that would have to be asked before it can be there.
#[tokio::test]
async fn a_callee_whose_own_login_asks_for_it_is_told_so() {
    let realm = REALM.replace("realm = \"admin\"", "realm = \"realm1\"");
    let router = house(&realm).start().await;
    denied(with_ticket(&router, "callee", "x").await).await;
    let said = why(&router, 1).await;
    let expected = "no callee is registered for it, and this is a login to the realm where it \
                    should be: the callee itself must log in by another [[login]]";
    assert!(said.contains(expected), "{said}");

    let only = realm.replace("[[login]]\nsteps = [\"anonymous\"]\n", "");
    router.deployment.realm("realm1", &only);
    let not_reloaded = router.log.mention("not reloaded").await;
    let expected = "so nobody who could answer can log in";
    assert!(not_reloaded.message().contains(expected), "{not_reloaded}");
}
