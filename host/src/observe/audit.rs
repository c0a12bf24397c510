use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::LoginRecord;
use crate::config::{AuditConfig, AuditSync, Unrecorded};

/// Lines that may be before the file at one time. A login for which there is no place waits for one.
const QUEUE: usize = 1024;

/// Lines that are put on the disk together, where each must be there first.
const BATCH: usize = 64;

/// The audit file. A thread of its own writes it, so a file that does not take anything holds up no
/// other work, and a login no longer than it is told to wait.
#[derive(Debug)]
pub struct Audit {
    queue: mpsc::Sender<Pending>,
    config: AuditConfig,
    sequence: AtomicU64,
    written: AtomicU64,
    lost: AtomicU64,
    /// The last record was lost: so the log is not told of each.
    is_failing: AtomicBool,
}

/// What has become of records since the router's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditCounts {
    pub written: u64,
    pub lost: u64,
}

#[derive(Debug, Error)]
pub enum AuditError {
    #[error(
        "[audit] file {}: it cannot be written: {error}; create its directory for the router's user, \
         or name another file", .file.display()
    )]
    Unwritable { file: PathBuf, error: io::Error },
    #[error("the thread that writes the audit file does not start: {0}")]
    Thread(io::Error),
}

/// Why a record is not in the file.
#[derive(Debug, Error)]
pub enum NotRecorded {
    #[error("its record could not be written: {0}")]
    Failed(Arc<io::Error>),
    #[error("its record was not written in time")]
    Late,
}

/// A line on its way to the file.
#[derive(Debug)]
struct Pending {
    line: String,
    /// None: nobody waits for it.
    written: Option<oneshot::Sender<Result<(), Arc<io::Error>>>>,
}

impl Audit {
    /// Opens the file, or makes it, readable by its owner only.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or the thread that would write it does not start.
    pub fn open(config: &AuditConfig) -> Result<Self, AuditError> {
        let file = AuditFile::open(&config.file, config.sync);
        let file = file.map_err(|error| unwritable(config, error))?;
        let (queue, lines) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("audit".into())
            .spawn(move || write(file, lines))
            .map_err(AuditError::Thread)?;
        Ok(Self {
            queue,
            config: config.clone(),
            sequence: AtomicU64::default(),
            written: AtomicU64::default(),
            lost: AtomicU64::default(),
            is_failing: AtomicBool::default(),
        })
    }

    /// Whether the file could be opened or made, leaving no traces.
    ///
    /// # Errors
    ///
    /// It could not.
    pub fn look(config: &AuditConfig) -> Result<(), AuditError> {
        let found = match appending().open(&config.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let directory = config.file.parent().unwrap_or(Path::new("/"));
                // A file's name alone is one in the present directory.
                fs::read_dir(Path::new(".").join(directory)).map(drop)
            }
            found => found.map(drop),
        };
        found.map_err(|error| unwritable(config, error))
    }

    /// Returns when the record is in the file.
    ///
    /// # Errors
    ///
    /// It is not, and the operator wants nobody to be let in then.
    pub async fn record(&self, record: &LoginRecord<'_>) -> Result<(), NotRecorded> {
        let line = self.line(record);
        let outcome = timeout(self.config.wait, self.put(line))
            .await
            .unwrap_or(Err(NotRecorded::Late));
        self.note(outcome.as_ref().err());
        match self.config.unrecorded {
            Unrecorded::Refuse => outcome,
            Unrecorded::Allow => Ok(()),
        }
    }

    /// Records what became of a login whose record was lost, if it can be written at all: its line
    /// may have got into the file after nobody waited for it any more.
    pub fn correct(&self, record: &LoginRecord<'_>) {
        let line = self.line(record);
        let written = None;
        // A file that is full has no place for this either.
        _ = self.queue.try_send(Pending { line, written });
    }

    pub fn counts(&self) -> AuditCounts {
        AuditCounts {
            written: self.written.load(Relaxed),
            lost: self.lost.load(Relaxed),
        }
    }

    fn line(&self, record: &LoginRecord<'_>) -> String {
        record.line(self.sequence.fetch_add(1, Relaxed) + 1)
    }

    async fn put(&self, line: String) -> Result<(), NotRecorded> {
        let (written, outcome) = oneshot::channel();
        let written = Some(written);
        // The thread ends after all senders are gone, and we have one.
        let ended = || NotRecorded::Failed(Arc::new(io::ErrorKind::BrokenPipe.into()));
        let pending = Pending { line, written };
        self.queue.send(pending).await.map_err(|_| ended())?;
        outcome
            .await
            .map_err(|_| ended())?
            .map_err(NotRecorded::Failed)
    }

    fn note(&self, lost: Option<&NotRecorded>) {
        let count = if lost.is_some() {
            &self.lost
        } else {
            &self.written
        };
        count.fetch_add(1, Relaxed);
        if self.is_failing.swap(lost.is_some(), Relaxed) == lost.is_some() {
            return;
        }
        let file = self.config.file.display();
        if let Some(why) = lost {
            let logins = match self.config.unrecorded {
                Unrecorded::Refuse => "refused",
                Unrecorded::Allow => "let in all the same",
            };
            tracing::error!(
                %file, %why, logins,
                "logins cannot be put on record; make room for the audit file, or make it writable"
            );
        } else {
            let lost = self.lost.load(Relaxed);
            tracing::warn!(%file, lost, "logins are put on record again");
        }
    }
}

fn unwritable(config: &AuditConfig, error: io::Error) -> AuditError {
    let file = config.file.clone();
    AuditError::Unwritable { file, error }
}

/// Writes lines for as long as there is somebody who could send one.
fn write(mut file: AuditFile, mut lines: mpsc::Receiver<Pending>) {
    let mut pending = Vec::with_capacity(BATCH);
    while lines.blocking_recv_many(&mut pending, BATCH) > 0 {
        let moved = file.follow().map_err(Arc::new);
        let mut outcomes = Vec::with_capacity(pending.len());
        for Pending { line, written } in pending.drain(..) {
            // The login was told meanwhile that it came to nothing.
            if written.as_ref().is_some_and(oneshot::Sender::is_closed) {
                continue;
            }
            let outcome = moved.clone();
            let outcome = outcome.and_then(|()| file.append(&line).map_err(Arc::new));
            outcomes.push((written, outcome));
        }
        let synced = file.sync().map_err(Arc::new);
        for (written, outcome) in outcomes {
            if let Some(written) = written {
                // Whoever has just given up gets another record.
                _ = written.send(outcome.and_then(|()| synced.clone()));
            }
        }
    }
}

/// The file as it is open.
struct AuditFile {
    path: PathBuf,
    sync: AuditSync,
    file: File,
    identity: (u64, u64),
    /// What is in it does not end with a line.
    is_torn: bool,
}

impl AuditFile {
    fn open(path: &Path, sync: AuditSync) -> io::Result<Self> {
        let file = appending().create(true).mode(0o600).open(path)?;
        let metadata = file.metadata()?;
        let opened = Self {
            path: path.to_owned(),
            sync,
            identity: identity(&metadata),
            is_torn: is_torn(&file, &metadata)?,
            file,
        };
        // A pipe has no disk, and whoever asks for it is told now.
        opened.sync()?;
        Ok(opened)
    }

    /// Opens the file anew that is at the path, if that is another one by now: whoever rotates logs
    /// moves it away.
    fn follow(&mut self) -> io::Result<()> {
        let there = fs::metadata(&self.path);
        if !there.is_ok_and(|there| identity(&there) == self.identity) {
            *self = Self::open(&self.path, self.sync)?;
        }
        Ok(())
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        if self.is_torn {
            self.put(b"\n")?;
        }
        self.put(line.as_bytes())
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut rest = octets;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    self.is_torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        match self.sync {
            AuditSync::Never => Ok(()),
            AuditSync::Always => self.file.sync_data(),
        }
    }
}

/// Reading is for the last octet; and a pipe is opened so without waiting for its reader.
fn appending() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    options
}

/// Two names of one file have the same.
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether the last line has no end: the machine has failed while it was written, say.
fn is_torn(file: &File, metadata: &fs::Metadata) -> io::Result<bool> {
    let kind = metadata.file_type();
    if kind.is_fifo() || kind.is_char_device() || metadata.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.read_exact_at(&mut last, metadata.len() - 1)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests;
