use std::{pin::Pin, sync::Arc};

use bytes::Bytes;

use crate::egress::Egress;

/// Gets what is at an address, for a realm. Errors are for the operator.
pub trait Fetch: Send + Sync {
    fn fetch<'a>(&'a self, realm: &'a Arc<str>, url: &'a str) -> Fetching<'a>;

    /// Whether it would try at all.
    fn check(&self, url: &str) -> Result<(), String>;
}

/// An attempt of [`Fetch`].
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send + 'a>>;

impl Fetch for Egress {
    fn fetch<'a>(&'a self, realm: &'a Arc<str>, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let response = self.get(realm, url).await;
            let response = response.map_err(|error| error.to_string())?;
            match response.status {
                200 => Ok(response.body),
                status => Err(format!("the answer has status {status}")),
            }
        })
    }

    fn check(&self, url: &str) -> Result<(), String> {
        Self::check(self, url).map_err(|error| error.to_string())
    }
}
