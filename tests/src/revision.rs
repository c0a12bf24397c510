use serde_json::Value;

use crate::{Component, Deployment, soon};

/// What `countersign method list` has of a revision.
#[derive(Clone, Debug)]
pub struct Revision(Value);

impl Revision {
    pub fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// A number; 0 where there is none yet.
    pub fn number(&self, field: &str) -> u64 {
        self.0[field].as_u64().unwrap_or_default()
    }
}

impl Deployment {
    /// All revisions of a realm, in the router that runs here.
    pub async fn revisions(&self, realm: &str) -> Vec<Revision> {
        let (good, said) = self.method(&format!("list {realm} --json")).await;
        assert!(good, "{said}");
        let revisions: Vec<Value> = serde_json::from_str(&said).expect("a list");
        revisions.into_iter().map(Revision).collect()
    }

    /// Waits until a revision is as it must be: what is counted beside logins is counted after them.
    pub async fn revision_where(
        &self,
        realm: &str,
        wanted: impl Fn(&Revision) -> bool,
    ) -> Revision {
        let looking = async {
            loop {
                let mut revisions = self.revisions(realm).await;
                if let Some(at) = revisions.iter().position(&wanted) {
                    return revisions.swap_remove(at);
                }
            }
        };
        soon("such a revision", looking).await
    }

    /// Has the router that runs here keep a component ready for a step.
    pub async fn stage(&self, realm: &str, step: &str, component: &Component) {
        let file = self.beside("staged.wasm", component);
        let file = file.display();
        let words = format!("stage {file} --realm {realm} --step {step}");
        let (good, said) = self.method(&words).await;
        assert!(good, "{said}");
    }
}
