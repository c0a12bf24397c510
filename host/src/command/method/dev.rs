//! `method dev`: a realm that logs in by the method that is being written.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;

use super::{compiler, project::DevArgs};
use crate::command::output;
use crate::{
    command::{ConfigArgs, ServeArgs, serve},
    kit::{KitError, Project},
    observe::LogFormat,
    realm::Hints,
};

/// What the realm is called.
const REALM: &str = "realm1";

pub(super) async fn run(args: DevArgs) -> anyhow::Result<ExitCode> {
    let project = Project::find(&args.project.directory)?;
    let demo = Demo::new(&project, args.address)?;
    let serve = ServeArgs {
        config: ConfigArgs {
            config: demo.config(),
        },
        log_format: LogFormat::default(),
        realms_are_made: true,
    };
    let followed = follow(project, demo);
    tokio::select! {
        ended = serve::run(serve) => ended,
        ended = followed => match ended? {},
    }
}

/// A router's directory, with one realm.
struct Demo {
    directory: tempfile::TempDir,
    /// The realm's file in the project.
    realm: PathBuf,
    /// The method's table in the project, which need not be there.
    table: PathBuf,
    /// Where the method's component belongs.
    component: PathBuf,
}

impl Demo {
    fn new(project: &Project, address: SocketAddr) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("a temporary directory cannot be made")?;
        let at = |file: &str| directory.path().join(file);
        for inner in ["realms", "methods"] {
            fs::create_dir(at(inner)).context("a temporary directory cannot be made")?;
        }
        fs::write(at("countersign.toml"), operator(address)?)?;
        let name = project.name();
        let component = at("methods").join(&name).with_extension("wasm");
        let realm = project.directory().join("realm.toml");
        if !realm.exists() {
            anyhow::bail!(
                "{}: the file of a realm is needed, which asks for the step {name}; `countersign \
                 method new` makes one",
                realm.display()
            );
        }
        output::tell(format_args!(
            "The realm of {} is {REALM}, at ws://{address}/ws. When it is in place, log in from another \
             terminal:\n\
             {program} login ws://{address}/ws --realm {REALM} --method {name} --authid alice",
            realm.display(),
            program = std::env::args()
                .next()
                .unwrap_or_else(|| "countersign".into()),
        ));
        Ok(Self {
            directory,
            realm,
            table: project.component().with_extension("table.toml"),
            component,
        })
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("countersign.toml")
    }

    /// Puts what was built in its place; the router takes it from there, if it is what its table says.
    fn take(&self, component: &Path) -> anyhow::Result<()> {
        if self.table.exists() {
            self.put(&self.table, &self.component.with_extension("table.toml"))?;
        }
        self.put(component, &self.component)?;
        let realm = self
            .directory
            .path()
            .join("realms")
            .join(format!("{REALM}.toml"));
        self.put(&self.realm, &realm)
    }

    fn put(&self, from: &Path, to: &Path) -> anyhow::Result<()> {
        let octets = fs::read(from).with_context(|| from.display().to_string())?;
        if fs::read(to).is_ok_and(|present| present == octets) {
            return Ok(());
        }
        let unfinished = self.directory.path().join("unfinished");
        fs::write(&unfinished, octets)?;
        fs::rename(&unfinished, to)?;
        Ok(())
    }
}

/// The operator's file.
fn operator(address: SocketAddr) -> anyhow::Result<String> {
    // An author's machine may be slow.
    let mut file =
        format!("[[listener]]\naddress = \"{address}\"\n\n[methods]\ncompile_time = \"10m\"\n");
    // What was compiled once need not be compiled again. A text of JSON is one of TOML too.
    if let Ok(shelf) = compiler::shelf()
        && let Some(cache) = shelf.directory().to_str()
    {
        _ = writeln!(file, "cache = {}", serde_json::to_string(cache)?);
    }
    Ok(file)
}

/// Builds whenever the author has written something, for ever. What does not build is told by its
/// compiler, and what was there before goes on.
async fn follow(project: Project, demo: Demo) -> anyhow::Result<std::convert::Infallible> {
    let mut seen = Vec::new();
    loop {
        let directories = project.source_directories()?;
        let directories: Vec<&Path> = directories.iter().map(PathBuf::as_path).collect();
        // Before the look, or a change between the two would be missed.
        let mut hints = Hints::of(&directories);
        while project.sources()? == seen {
            hints.next().await;
        }
        seen = project.sources()?;
        let building = project.clone();
        let built = tokio::task::spawn_blocking(move || {
            building.build(None, &|line: std::fmt::Arguments<'_>| output::tell(line))
        });
        match built.await? {
            Ok(component) => demo.take(&component)?,
            Err(error) => tell_broken(&error),
        }
    }
}

fn tell_broken(error: &KitError) {
    output::tell(format_args!(
        "countersign: {error}\nIt was not built; what was there before goes on."
    ));
}
