//! The contract in the words of a language: the directory `countersign` of a project. All of it is
//! made anew from the project's WIT, so nobody edits it.

use std::{fs, process::Command};

use wit_bindgen_core::{Files, WorldGenerator};

use super::{
    KitError, Language, Project,
    contract::{self, Contract},
    project::put,
    runtimes, template, tool, typescript,
};

/// Where bindings are.
pub(super) const DIRECTORY: &str = "countersign";

/// Makes the project's WIT the one of this program, and the bindings that belong to it.
pub(super) fn renew(project: &Project) -> Result<(), KitError> {
    write(project)?;
    if project.language() == Language::Python {
        return python(project);
    }
    Ok(())
}

/// The same without what only an editor needs and a download may precede.
pub(super) fn write(project: &Project) -> Result<(), KitError> {
    let wit = project.directory.join("wit");
    for (path, text) in contract::FILES {
        put(&wit.join(path), text.as_bytes())?;
    }
    generate(project)
}

/// Makes the bindings for the WIT that the project has.
pub(super) fn generate(project: &Project) -> Result<(), KitError> {
    match project.language() {
        Language::Rust => rust(project),
        Language::C => c(project),
        Language::Go => go(project),
        Language::JavaScript | Language::TypeScript => {
            let contract = Contract::read(&project.directory.join("wit"))?;
            let text = typescript::declarations(&contract);
            put(
                &project.directory.join(DIRECTORY).join("countersign.d.ts"),
                text.as_bytes(),
            )
        }
        // componentize-py makes them each time it makes a component.
        Language::Python => Ok(()),
    }
}

/// The library for methods in Rust, whose macro reads the WIT when it is compiled.
fn rust(project: &Project) -> Result<(), KitError> {
    for (path, text) in template::RUST_LIBRARY {
        put(
            &project.directory.join(DIRECTORY).join(path),
            text.as_bytes(),
        )?;
    }
    Ok(())
}

fn c(project: &Project) -> Result<(), KitError> {
    let options = wit_bindgen_c::Opts {
        rename_world: Some("countersign".into()),
        ..wit_bindgen_c::Opts::default()
    };
    let mut generator = options.build();
    let files = run(&mut *generator, project)?;
    for (path, contents) in files.iter() {
        put(&project.directory.join(DIRECTORY).join(path), contents)?;
    }
    for (path, text) in template::C_LIBRARY {
        put(
            &project.directory.join(DIRECTORY).join(path),
            text.as_bytes(),
        )?;
    }
    Ok(())
}

fn go(project: &Project) -> Result<(), KitError> {
    let module = go_module(project)?;
    let options = wit_bindgen_go::Opts {
        format: wit_bindgen_go::Format::False,
        pkg_name: Some(format!("{module}/{DIRECTORY}")),
        quiet: true,
        ..wit_bindgen_go::Opts::default()
    };
    let mut generator = options.build();
    let files = run(&mut *generator, project)?;
    let ours = template::GO_LIBRARY
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()));
    for (path, contents) in files.iter().chain(ours) {
        let text = String::from_utf8_lossy(contents)
            // What generated code is built on comes with it: nothing has to be fetched.
            .replace(
                "\"go.bytecodealliance.org/pkg/wit/",
                &format!("\"{module}/{DIRECTORY}/wit/"),
            )
            .replace("{{module}}", &module);
        put(
            &project.directory.join(DIRECTORY).join(path),
            text.as_bytes(),
        )?;
    }
    Ok(())
}

/// What the project's packages are called.
fn go_module(project: &Project) -> Result<String, KitError> {
    let path = project.directory.join("go.mod");
    let text = fs::read_to_string(&path).map_err(KitError::file("it cannot be read", &path))?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix("module "))
        .map(|module| module.trim().trim_matches('"').to_owned())
        .ok_or(KitError::GoModule { path })
}

fn run(generator: &mut dyn WorldGenerator, project: &Project) -> Result<Files, KitError> {
    let mut contract = Contract::read(&project.directory.join("wit"))?;
    let mut files = Files::default();
    generator
        .generate(&mut contract.resolve, contract.world, &mut files)
        .map_err(|error| KitError::Bindings(format!("{error:#}")))?;
    Ok(files)
}

/// For editors and type checkers.
fn python(project: &Project) -> Result<(), KitError> {
    let componentize = runtimes::python(&|_| {})?;
    let unfinished = tempfile::tempdir_in(&project.directory).map_err(KitError::file(
        "nothing can be written to it",
        &project.directory,
    ))?;
    let made = unfinished.path().join(DIRECTORY);
    tool::run(
        Command::new(componentize)
            .args(["--quiet", "-d", "wit", "-w", "project"])
            .arg("bindings")
            .arg(&made)
            .current_dir(&project.directory),
    )?;
    let directory = project.directory.join(DIRECTORY);
    if directory.exists() {
        fs::remove_dir_all(&directory)
            .map_err(KitError::file("it cannot be removed", &directory))?;
    }
    fs::rename(&made, &directory).map_err(KitError::file("it cannot be made", &directory))
}
