//! One command that makes the component, whatever the language.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    KitError, Language, Project, Tell, bindings, component, contract::Contract, project::put,
    runtimes, tool,
};

const RUST_IS_MISSING: &str = "Rust is needed, version 1.87 or later, and PATH has no `cargo`: get it \
    from https://rustup.rs";

const GO_IS_MISSING: &str = "Go is needed, version 1.24 or later, and PATH has no `go`: get it from \
    https://go.dev/dl";

const C_IS_MISSING: &str = "a C compiler for WebAssembly is needed. One of these will do: \
    `apt-get install clang lld wasi-libc libclang-rt-dev-wasm32`; wasi-sdk from \
    https://github.com/WebAssembly/wasi-sdk, with WASI_SDK_PATH naming its directory; or Zig, by \
    `pip install ziglang` or from https://ziglang.org";

impl Project {
    /// Builds the component. It replaces the one before when all has gone well, at once.
    pub fn build(&self, output: Option<&Path>, tell: Tell<'_>) -> Result<PathBuf, KitError> {
        let octets = match self.language() {
            Language::Rust => self.build_rust(tell)?,
            Language::JavaScript | Language::TypeScript => self.build_javascript(tell)?,
            Language::Python => self.build_python(tell)?,
            Language::Go => self.build_go(tell)?,
            Language::C => self.build_c(tell)?,
        };
        component::check(&octets)?;
        let path = output.map_or_else(|| self.component(), Path::to_owned);
        put(&path, &octets)?;
        Ok(path)
    }

    /// Whether what the build needs is on this machine, as far as that is known at once.
    pub fn look_for_tools(&self) -> Result<(), KitError> {
        match self.language() {
            Language::Rust => {
                tool::require(&["cargo"], RUST_IS_MISSING)?;
                rust_target(&self.directory)
            }
            Language::JavaScript | Language::TypeScript => runtimes::look_for_node(),
            Language::Python => runtimes::look_for_python(),
            Language::Go => tool::require(&["go"], GO_IS_MISSING).map(drop),
            Language::C => c_compiler().map(drop),
        }
    }

    fn build_rust(&self, tell: Tell<'_>) -> Result<Vec<u8>, KitError> {
        let cargo = tool::require(&["cargo"], RUST_IS_MISSING)?;
        rust_target(&self.directory)?;
        tell(format_args!("Compiling by cargo for wasm32-wasip2"));
        let mut cargo = Command::new(cargo);
        cargo
            .args(["build", "--release", "--target", "wasm32-wasip2"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&self.directory);
        let made = tool::output(&mut cargo)?;
        let path = made
            .lines()
            .filter_map(component_of_cargo)
            .next_back()
            .ok_or_else(|| KitError::NothingMade {
                tool: "cargo (is `crate-type = [\"cdylib\"]` in Cargo.toml?)".into(),
            })?;
        read(Path::new(&path))
    }

    fn build_javascript(&self, tell: Tell<'_>) -> Result<Vec<u8>, KitError> {
        let node = runtimes::node(tell)?;
        bindings::generate(self)?;
        if self.language() == Language::TypeScript {
            tell(format_args!("Checking the types"));
            tool::run(
                node.tsc()
                    .args(["--noEmit", "--project", "tsconfig.json"])
                    .current_dir(&self.directory),
            )?;
        }
        tell(format_args!(
            "Making a component by ComponentizeJS: 12 MB with its engine, some 20 s"
        ));
        let scratch = Scratch::new()?;
        tool::run(
            node.componentize()
                .arg(self.directory.join(self.language().source()))
                .arg(self.directory.join("wit"))
                .arg(&scratch.component)
                .current_dir(&self.directory),
        )?;
        read(&scratch.component)
    }

    fn build_python(&self, tell: Tell<'_>) -> Result<Vec<u8>, KitError> {
        Contract::read(&self.directory.join("wit"))?;
        let componentize = runtimes::python(tell)?;
        tell(format_args!(
            "Making a component by componentize-py: 18 MB with its interpreter, some 20 s"
        ));
        let scratch = Scratch::new()?;
        let packages = scratch.packages(&self.directory)?;
        tool::run(
            Command::new(componentize)
                .args(["--quiet", "-d", "wit", "-w", "project"])
                .args(["componentize", "method", "-o"])
                .arg(&scratch.component)
                // Nothing but the source is left in the author's directory.
                .env("PYTHONDONTWRITEBYTECODE", "1")
                // Or it takes all that is installed for the Python in PATH into the component.
                .env("VIRTUAL_ENV", packages)
                .current_dir(&self.directory),
        )?;
        read(&scratch.component)
    }

    fn build_go(&self, tell: Tell<'_>) -> Result<Vec<u8>, KitError> {
        let go = tool::require(&["go"], GO_IS_MISSING)?;
        let contract = Contract::read(&self.directory.join("wit"))?;
        bindings::generate(self)?;
        tell(format_args!("Compiling by go for wasip1"));
        let scratch = Scratch::new()?;
        tool::run(
            Command::new(go)
                .args(["build", "-buildmode=c-shared", "-trimpath"])
                // Without the last, the linker takes the bindings' use of the heap for a mistake.
                .arg("-ldflags=-s -w -checklinkname=0")
                .arg("-o")
                .arg(&scratch.component)
                .arg(".")
                .env("GOOS", "wasip1")
                .env("GOARCH", "wasm")
                .env("CGO_ENABLED", "0")
                .current_dir(&self.directory),
        )?;
        tell(format_args!("Making a component"));
        component::from_module("go", read(&scratch.component)?, Some(&contract))
    }

    fn build_c(&self, tell: Tell<'_>) -> Result<Vec<u8>, KitError> {
        let mut compiler = c_compiler()?;
        bindings::generate(self)?;
        let mut sources = files(&self.directory, "c")?;
        let bindings = self.directory.join(bindings::DIRECTORY);
        sources.extend(files(&bindings, "c")?);
        // In it is the world.
        sources.extend(files(&bindings, "o")?);
        tell(format_args!("Compiling C for WebAssembly"));
        let scratch = Scratch::new()?;
        tool::run(
            compiler
                .args(["-mexec-model=reactor", "-Os", "-Wall", "-s"])
                .arg("-I")
                .arg(bindings::DIRECTORY)
                .arg("-o")
                .arg(&scratch.component)
                .args(sources)
                .current_dir(&self.directory),
        )?;
        tell(format_args!("Making a component"));
        component::from_module("the C compiler", read(&scratch.component)?, None)
    }
}

/// Where a tool puts what is not to be seen before it is whole.
struct Scratch {
    component: PathBuf,
    _directory: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Result<Self, KitError> {
        let directory = tempfile::tempdir().map_err(KitError::file(
            "there is no room for a build",
            env::temp_dir(),
        ))?;
        Ok(Self {
            component: directory.path().join("method.wasm"),
            _directory: directory,
        })
    }

    /// The environment whose packages a project in Python uses: its `.venv`, or one that is empty.
    fn packages(&self, project: &Path) -> Result<PathBuf, KitError> {
        let own = project.join(".venv");
        if own.is_dir() {
            return Ok(own);
        }
        let empty = self.component.with_extension("packages");
        let inside = empty.join("lib/python3/site-packages");
        fs::create_dir_all(&inside).map_err(KitError::file("it cannot be made", inside))?;
        Ok(empty)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KitError> {
    fs::read(path).map_err(KitError::file("it cannot be read", path))
}

fn rust_target(directory: &Path) -> Result<(), KitError> {
    let library = tool::output(
        Command::new("rustc")
            .args(["--print", "target-libdir", "--target", "wasm32-wasip2"])
            .current_dir(directory),
    );
    if library.is_ok_and(|library| Path::new(library.trim_end()).is_dir()) {
        return Ok(());
    }
    Err(KitError::Missing(
        "Rust's standard library for wasm32-wasip2 is needed: `rustup target add wasm32-wasip2`, or as \
         your system has it"
            .into(),
    ))
}

/// The component that a line of cargo's is about.
fn component_of_cargo(line: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Artifact {
        reason: String,
        #[serde(default)]
        filenames: Vec<String>,
    }
    let artifact: Artifact = serde_json::from_str(line).ok()?;
    let is_component = |file: &String| Path::new(file).extension().is_some_and(|it| it == "wasm");
    match &*artifact.reason {
        "compiler-artifact" => artifact.filenames.into_iter().find(is_component),
        _ => None,
    }
}

/// wasi-sdk's clang if the environment names one; the system's; Zig's.
fn c_compiler() -> Result<Command, KitError> {
    if let Some(sdk) = env::var_os("WASI_SDK_PATH") {
        return Ok(Command::new(Path::new(&sdk).join("bin/clang")));
    }
    let target = "--target=wasm32-wasi";
    if let Some(clang) = tool::find("clang") {
        let mut command = Command::new(clang);
        command.arg(target);
        if compiles(&command) {
            return Ok(command);
        }
    }
    if let Some(zig) = tool::find("zig") {
        let mut command = Command::new(zig);
        command.args(["cc", target]);
        return Ok(command);
    }
    if let Some(python) = tool::find("python3") {
        let mut command = Command::new(&python);
        command.args(["-m", "ziglang", "cc", target]);
        if tool::succeeds(Command::new(python).args(["-m", "ziglang", "version"])) {
            return Ok(command);
        }
    }
    Err(KitError::Missing(C_IS_MISSING.into()))
}

/// Whether a compiler has all that a method needs: a clang may be there without the rest.
fn compiles(compiler: &Command) -> bool {
    let Ok(scratch) = Scratch::new() else {
        return false;
    };
    let source = scratch.component.with_extension("c");
    let program = "#include <stdlib.h>\nvoid *probe(void) { return malloc(1); }\n";
    if fs::write(&source, program).is_err() {
        return false;
    }
    let mut command = Command::new(compiler.get_program());
    command
        .args(compiler.get_args())
        .arg("-mexec-model=reactor")
        .arg("-o")
        .arg(&scratch.component)
        .arg(source);
    tool::succeeds(&mut command)
}

/// The files of a directory that end so, in the order of their names.
fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, KitError> {
    let unreadable = || KitError::file("it cannot be read", directory);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable())? {
        let path = entry.map_err(unreadable())?.path();
        if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
