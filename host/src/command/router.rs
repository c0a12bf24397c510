//! The router that runs, for the commands that ask it.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::{
    admin::{self, Request, Response},
    config::Operator,
};

/// The router that serves a configuration.
pub(super) struct Router {
    config: PathBuf,
}

impl Router {
    pub(super) fn serving(config: &Path) -> Self {
        Self {
            config: config.to_owned(),
        }
    }

    pub(super) async fn ask(&self, request: Request) -> anyhow::Result<Response> {
        let operator = Operator::read(&self.config)?;
        Ok(admin::ask(&operator.admin.socket, &self.config, &request).await?)
    }

    /// Has it do something, and yields what it says.
    pub(super) async fn done(&self, request: Request) -> anyhow::Result<String> {
        match self.ask(request).await? {
            Response::Done(said) => Ok(format!("{said}\n")),
            other => unexpected(&other),
        }
    }
}

/// An answer to another question: the router is not of this version.
pub(super) fn unexpected<T>(response: &Response) -> anyhow::Result<T> {
    bail!("the router answers something else than was asked: {response:?}")
}
