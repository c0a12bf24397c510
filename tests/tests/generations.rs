//! What is left of a generation that was replaced.

use std::{path::Path, sync::Arc};

use countersign::{
    config::EgressConfig,
    credential::{PasswordQueue, Sqlite, Vault},
    egress::Egress,
    method::Runtime,
    realm::{Realms, Reloader, Workshop},
};
use countersign_tests::{Component, Deployment};

fn reloader(deployment: &Deployment, realms: &Arc<Realms>) -> Reloader {
    let store = Sqlite::open(deployment.path("credentials.db")).unwrap();
    let vault = Vault::open(Arc::new(store), PasswordQueue::default()).unwrap();
    let runtime = Arc::new(Runtime::new().unwrap());
    let egress = Egress::new(&EgressConfig::new(Path::new("."))).unwrap();
    let methods = deployment.path("methods");
    let workshop = Workshop::new(runtime, vault, Arc::new(egress), methods);
    let directory = deployment.path("realms");
    Reloader::new(Arc::new(workshop), directory, Arc::clone(realms))
}

#[tokio::test]
async fn a_generation_is_gone_when_the_last_login_that_began_with_it_has_ended() {
    let deployment = Deployment::bare();
    let realm = "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n";
    deployment.realm("realm1", realm);
    deployment.component("anonymous", &Component::method("anonymous"));
    let realms = Arc::default();
    let mut reloader = reloader(&deployment, &realms);
    reloader.look().await.unwrap();
    let place = realms.find("realm1").unwrap();

    // As a login does.
    let login = place.generation();
    let generation = Arc::downgrade(&login);
    let method = Arc::downgrade(login.methods.values().next().unwrap());
    let revision = Arc::downgrade(&method.upgrade().unwrap().revision);
    for round in 2..=4 {
        let remarked = Component::method("anonymous").remarked(&format!("round {round}"));
        deployment.component("anonymous", &remarked);
        reloader.look().await.unwrap();
        assert_eq!(place.generation().number, round);
    }
    assert!(generation.upgrade().is_some() && method.upgrade().is_some());
    drop(login);
    assert!(generation.upgrade().is_none());
    assert!(method.upgrade().is_none());
    // Two earlier revisions are kept for a roll-back, and this was the third.
    assert!(revision.upgrade().is_none());
}
