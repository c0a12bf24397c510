use std::{io, path::PathBuf, process::ExitStatus};

use thiserror::Error;

/// Why there is no project, or no component. Each says what to do.
#[derive(Debug, Error)]
pub enum KitError {
    #[error("{0} exists already: choose another name, or remove it")]
    Exists(PathBuf),
    #[error(
        "{0} is no method's project: there is none of {markers} in it; `countersign method new` \
         makes one",
        markers = super::Language::markers()
    )]
    NoProject(PathBuf),
    #[error("{directory} is a project of several languages: it has {files}; keep one of them")]
    Several { directory: PathBuf, files: String },
    #[error("{path}: {what}: {error}")]
    File {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    /// A compiler or something else that must be on the machine.
    #[error("{0}")]
    Missing(String),
    #[error("{tool} failed ({status}); what it says of it is above")]
    Failed { tool: String, status: ExitStatus },
    #[error("{tool} made no component")]
    NothingMade { tool: String },
    #[error("{path}: {error}")]
    Wit { path: PathBuf, error: String },
    #[error(
        "{path} is version {found} of the contract, and this countersign has version {ours}: \
         `countersign method bindings` brings the project to it; then build again, and mend what the \
         compiler finds"
    )]
    Contract {
        path: PathBuf,
        found: String,
        ours: String,
    },
    #[error("what {tool} made cannot become a component: {error}")]
    Component { tool: &'static str, error: String },
    #[error(
        "what was made is a core WebAssembly module, not a component; nothing was written. Methods are \
         built for wasm32-wasip2: does something in the project say otherwise?"
    )]
    CoreModule,
    #[error("what was made is no component: {error}; nothing was written")]
    NoComponent { error: String },
    #[error(
        "what was made is no method: it does not export {export}; nothing was written. A method has all \
         that the one of `countersign method new` has, `countersign_guest::export!` in Rust among it"
    )]
    NotExported { export: String },
    #[error("the bindings cannot be made: {0}")]
    Bindings(String),
    #[error("{path} has no line that begins with `module`, by which its packages are found")]
    GoModule { path: PathBuf },
    #[error("the directory for what is downloaded cannot be told: set XDG_CACHE_HOME, or HOME")]
    NoCache,
}

impl KitError {
    pub(super) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { what, path, error }
    }
}
