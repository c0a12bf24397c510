use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{KitError, Language, Name, bindings, template};

/// The directory of a method's source.
#[derive(Clone, Debug)]
pub struct Project {
    pub(super) directory: PathBuf,
    language: Language,
}

/// What is in a project's directory and was not written by its author.
const NOT_SOURCE: &[&str] = &[
    "build",
    "countersign",
    "node_modules",
    "target",
    "__pycache__",
];

impl Project {
    /// Makes a project in a directory, which has its name. All of it is there at once, or nothing is.
    pub fn create(parent: &Path, name: &Name, language: Language) -> Result<Self, KitError> {
        let directory = parent.join(name.as_ref());
        if directory.symlink_metadata().is_ok() {
            return Err(KitError::Exists(directory));
        }
        let unfinished = tempfile::Builder::new()
            .prefix(".countersign-new-")
            .tempdir_in(parent)
            .map_err(KitError::file("no project can be made here", parent))?;
        // Its directory is made for its owner only; what an author makes is as their system has it.
        let inner = unfinished.path().join(name.as_ref());
        for (path, text) in template::files(language, name) {
            put(&inner.join(path), text.as_bytes())?;
        }
        let project = Self {
            directory: inner,
            language,
        };
        bindings::write(&project)?;
        fs::rename(&project.directory, &directory)
            .map_err(KitError::file("it cannot be made", &directory))?;
        Ok(Self {
            directory,
            language,
        })
    }

    /// The project that is in a directory.
    pub fn find(directory: &Path) -> Result<Self, KitError> {
        let directory = fs::canonicalize(directory)
            .map_err(KitError::file("there is no such directory", directory))?;
        let found: Vec<Language> = Language::ALL
            .into_iter()
            .filter(|language| directory.join(language.marker()).is_file())
            .collect();
        match found[..] {
            [language] => Ok(Self {
                directory,
                language,
            }),
            [] => Err(KitError::NoProject(directory)),
            _ => Err(KitError::Several {
                directory,
                files: found
                    .into_iter()
                    .map(Language::marker)
                    .collect::<Vec<_>>()
                    .join(" and "),
            }),
        }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub const fn language(&self) -> Language {
        self.language
    }

    /// What its component is called: as its directory.
    pub fn name(&self) -> String {
        self.directory.file_name().map_or_else(
            || "method".into(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// Where its component is put if nothing else is said.
    pub fn component(&self) -> PathBuf {
        self.directory.join(self.name()).with_extension("wasm")
    }

    /// Makes the bindings to the contract, and the contract's WIT, those of this program.
    pub fn renew_bindings(&self) -> Result<(), KitError> {
        bindings::renew(self)
    }

    /// The directories that hold what the author writes.
    pub fn source_directories(&self) -> io::Result<Vec<PathBuf>> {
        let mut directories = vec![self.directory.clone()];
        let mut next = 0;
        while let Some(directory) = directories.get(next) {
            let mut inner = Vec::new();
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() && is_source(&entry) {
                    inner.push(entry.path());
                }
            }
            directories.append(&mut inner);
            next += 1;
        }
        Ok(directories)
    }

    /// The files that the author writes, each with its length and when it was changed last.
    pub fn sources(&self) -> io::Result<Vec<(PathBuf, u64, std::time::SystemTime)>> {
        let mut sources = Vec::new();
        for directory in self.source_directories()? {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                // An editor may have taken its own file away meanwhile.
                let Ok(about) = entry.metadata() else {
                    continue;
                };
                let path = entry.path();
                // The component, and what an author sends the words about it to: each build would be
                // a change that leads to the next.
                let is_made = path
                    .extension()
                    .is_some_and(|it| it == "wasm" || it == "log");
                if about.is_file() && is_source(&entry) && !is_made {
                    sources.push((path, about.len(), about.modified()?));
                }
            }
        }
        sources.sort();
        Ok(sources)
    }
}

fn is_source(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    !name.starts_with('.') && !NOT_SOURCE.contains(&&*name)
}

/// Writes a file, unless it has these contents already: compilers look at times.
pub(super) fn put(path: &Path, contents: &[u8]) -> Result<(), KitError> {
    if fs::read(path).is_ok_and(|present| present == contents) {
        return Ok(());
    }
    let write = || -> io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut unfinished = tempfile::Builder::new()
            .prefix(".countersign-")
            .permissions(readable_by_all())
            .tempfile_in(directory)?;
        io::Write::write_all(&mut unfinished, contents)?;
        unfinished.persist(path)?;
        Ok(())
    };
    write().map_err(KitError::file("it cannot be written", path))
}

/// As a compiler makes its files: less what the person's mask takes away.
fn readable_by_all() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_a_source_is_no_project() {
        let directory = tempfile::tempdir().unwrap();
        let error = Project::find(directory.path()).unwrap_err().to_string();
        assert!(error.contains("is no method's project"), "{error}");
        assert!(error.contains("method.py"), "{error}");
    }

    #[test]
    fn a_project_of_two_languages_is_neither() {
        let directory = tempfile::tempdir().unwrap();
        for file in ["method.c", "method.py"] {
            fs::write(directory.path().join(file), "").unwrap();
        }
        let error = Project::find(directory.path()).unwrap_err().to_string();
        assert!(error.contains("method.py and method.c"), "{error}");
    }

    #[test]
    fn every_language_has_a_project_that_is_found_again() {
        let parent = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            let name: Name = format!("word-{}", language.to_string().to_lowercase())
                .parse()
                .unwrap();
            let project = Project::create(parent.path(), &name, language).unwrap();
            assert_eq!(project.name(), name.to_string());
            let found = Project::find(project.directory()).unwrap();
            assert_eq!(found.language(), language);
            for (file, _, _) in found.sources().unwrap() {
                let text = fs::read_to_string(&file).unwrap();
                assert!(!text.contains("{{"), "{} has a gap", file.display());
            }
        }
    }

    #[test]
    fn what_a_build_makes_and_says_is_no_source() {
        let parent = tempfile::tempdir().unwrap();
        let name: Name = "knock".parse().unwrap();
        let project = Project::create(parent.path(), &name, Language::C).unwrap();
        let before = project.sources().unwrap();
        for made in ["knock.wasm", "dev.log"] {
            fs::write(project.directory().join(made), "made").unwrap();
        }
        assert_eq!(project.sources().unwrap(), before);
        fs::write(project.directory().join("more.h"), "").unwrap();
        assert_eq!(project.sources().unwrap().len(), before.len() + 1);
    }

    #[test]
    fn a_name_that_is_taken_leaves_what_has_it() {
        let parent = tempfile::tempdir().unwrap();
        let name: Name = "knock".parse().unwrap();
        fs::write(parent.path().join("knock"), "mine").unwrap();
        let error = Project::create(parent.path(), &name, Language::C).unwrap_err();
        assert!(error.to_string().contains("exists already"), "{error}");
        let left: Vec<_> = fs::read_dir(parent.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
