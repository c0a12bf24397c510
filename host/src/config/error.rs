//! Why a configuration file is refused, in words for the person who wrote it.

use std::{
    fmt::{self, Display},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// The largest file that is read, in octets. A realm with a thousand permissions has about 100 KiB.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Why a configuration file cannot be used. `Display` is complete: it names the file and says what
/// to do, on several lines where the file has several problems.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("{}: there is no such file; {advice}", file.display())]
    Missing {
        /// The file, as it was asked for.
        file: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// The file is there and cannot be read.
    #[error("{}: the file cannot be read: {source}; make it readable for the user that runs this", file.display())]
    Unreadable {
        /// The file, as it was asked for.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A directory, a pipe or a device.
    #[error("{}: this is not a file; put a TOML file there", file.display())]
    NotAFile {
        /// The path, as it was asked for.
        file: PathBuf,
    },
    /// The file has more than 1 MiB.
    #[error("{}: the file is larger than 1 MiB, the most that is read; make it smaller", file.display())]
    TooLarge {
        /// The file, as it was asked for.
        file: PathBuf,
    },
    /// The file was read and is wrong.
    #[error("{}", Lines(.problems, *.more))]
    Wrong {
        /// What is wrong, by position in the file. Never empty.
        problems: Vec<Problem>,
        /// How many problems there are beyond these.
        more: usize,
    },
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was asked for.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong, and after a semicolon what to do.
    pub message: String,
}

impl Problem {
    /// The problem at an offset into `text`, in octets.
    pub(super) fn at(file: &Path, text: &str, offset: usize, message: String) -> Self {
        let before = text.split_at(text.floor_char_boundary(offset)).0;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.split_at(line_start).1.chars().count() + 1,
            message,
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
        } = self;
        write!(f, "{}:{line}:{column}: {message}", file.display())
    }
}

/// Reads a whole file; `if_missing` says what to do where there is none.
pub(crate) fn read(file: &Path, if_missing: &'static str) -> Result<String, ConfigError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ConfigError::Missing {
            file: file.to_owned(),
            advice: if_missing,
        },
        _ => ConfigError::Unreadable {
            file: file.to_owned(),
            source,
        },
    };

    // Opening a pipe would wait for its writer.
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(ConfigError::NotAFile {
            file: file.to_owned(),
        });
    }
    let mut octets = Vec::new();
    // One octet more, to tell a file of exactly the largest size from a larger one.
    File::open(file)
        .and_then(|open| open.take(LARGEST_FILE + 1).read_to_end(&mut octets))
        .map_err(failed)?;
    if octets.len() as u64 > LARGEST_FILE {
        return Err(ConfigError::TooLarge {
            file: file.to_owned(),
        });
    }
    String::from_utf8(octets).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let message = "this octet is not UTF-8; save the file as UTF-8".to_owned();
        // The text is the same up to there, lossy or not.
        ConfigError::Wrong {
            problems: vec![Problem::at(file, &text, good, message)],
            more: 0,
        }
    })
}

struct Lines<'a>(&'a [Problem], usize);

impl Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        match self.1 {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}
