use std::{io::Read, os::unix::fs::PermissionsExt, time::Duration};

use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, mknodat};
use serde_json::Value;
use tempfile::TempDir;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::*;
use crate::{
    login::{Denial, Outcome, Refusal},
    observe::{Printable, StepRecord},
};

fn config(file: impl Into<PathBuf>) -> AuditConfig {
    AuditConfig {
        file: file.into(),
        unrecorded: Unrecorded::Refuse,
        wait: Duration::from_mins(1),
        sync: AuditSync::Always,
    }
}

/// Records a login by what the client said of its realm.
async fn record(audit: &Audit, realm: &str) -> Result<(), NotRecorded> {
    let denied = Outcome::Denied(Denial {
        refusal: Refusal::Denied,
        why: "ticket: this is not the password\n".into(),
    });
    audit.record(&of(&denied, realm)).await
}

fn of<'a>(outcome: &'a Outcome, realm: &'a str) -> LoginRecord<'a> {
    LoginRecord {
        peer: "192.0.2.1:4711",
        realm,
        session: 1,
        outcome,
        known: Some("alice"),
        steps: vec![StepRecord {
            step: "ticket",
            revision: Some("ab".repeat(32)),
            said: Printable("denied"),
        }],
        generation: Some(3),
        took: Duration::from_millis(12),
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_record_is_in_the_file_when_it_is_said_to_be() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("audit.jsonl");
    let audit = Audit::open(&config(&file)).unwrap();
    record(&audit, "realm1").await.unwrap();
    record(&audit, "it\u{202e}").await.unwrap();
    let [first, second] = &lines(&file)[..] else {
        panic!("two lines");
    };
    let time = first["time"].as_str().unwrap();
    assert!(OffsetDateTime::parse(time, &Rfc3339).is_ok(), "{time}");
    let mut rest = first.clone();
    rest.as_object_mut().unwrap().remove("time");
    let expected = serde_json::json!({
        "seq": 1,
        "outcome": "denied",
        "realm": "realm1",
        "authid": "alice",
        "session": 1,
        "peer": "192.0.2.1:4711",
        "generation": 3,
        "why": "ticket: this is not the password\\n",
        "steps": [{"step": "ticket", "revision": "ab".repeat(32), "said": "denied"}],
        "took_us": 12_000,
    });
    assert_eq!(rest, expected);
    assert_eq!(second["seq"], 2);
    assert_eq!(second["realm"], r"it\u{202e}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (written, lost) = (2, 0);
    assert_eq!(audit.counts(), AuditCounts { written, lost });
}

#[tokio::test]
async fn a_file_that_is_moved_away_is_made_anew() {
    let directory = TempDir::new().unwrap();
    let [file, old] = ["audit.jsonl", "audit.jsonl.1"].map(|name| directory.path().join(name));
    let audit = Audit::open(&config(&file)).unwrap();
    record(&audit, "before").await.unwrap();
    fs::rename(&file, &old).unwrap();
    record(&audit, "after").await.unwrap();
    assert_eq!(lines(&old)[0]["realm"], "before");
    assert_eq!(lines(&file)[0]["realm"], "after");
}

#[tokio::test]
async fn a_line_that_was_cut_off_spoils_no_other() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("audit.jsonl");
    fs::write(&file, r#"{"seq": 7, "out"#).unwrap();
    let audit = Audit::open(&config(&file)).unwrap();
    record(&audit, "realm1").await.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let (torn, whole) = text.split_once('\n').unwrap();
    assert_eq!(torn, r#"{"seq": 7, "out"#);
    assert!(serde_json::from_str::<Value>(whole).is_ok());
}

#[tokio::test]
async fn what_cannot_be_written_is_lost_and_counted() {
    let full = AuditConfig {
        sync: AuditSync::Never,
        ..config("/dev/full")
    };
    let audit = Audit::open(&full).unwrap();
    let lost = record(&audit, "realm1").await.unwrap_err().to_string();
    assert!(lost.contains("No space left on device"), "{lost}");
    let (written, lost) = (0, 1);
    assert_eq!(audit.counts(), AuditCounts { written, lost });

    let allowing = AuditConfig {
        unrecorded: Unrecorded::Allow,
        ..full
    };
    let audit = Audit::open(&allowing).unwrap();
    record(&audit, "realm1").await.unwrap();
    assert_eq!(audit.counts(), AuditCounts { written, lost });
}

#[test]
fn what_can_never_be_written_is_refused_at_the_start() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("none/audit.jsonl");
    for outcome in [
        Audit::open(&config(&file)).map(drop),
        Audit::look(&config(&file)),
    ] {
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains("No such file or directory"), "{told}");
        assert!(told.contains("none/audit.jsonl"), "{told}");
    }
    let file = directory.path().join("audit.jsonl");
    Audit::look(&config(&file)).unwrap();
    assert!(!file.exists(), "a look leaves no traces");
    // There is no disk behind a pipe.
    let pipe = pipe(&directory);
    let told = Audit::open(&config(&pipe)).unwrap_err().to_string();
    assert!(told.contains("Invalid argument"), "{told}");
}

fn pipe(directory: &TempDir) -> PathBuf {
    let pipe = directory.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    pipe
}

#[tokio::test]
async fn a_file_that_takes_nothing_holds_up_nobody() {
    let directory = TempDir::new().unwrap();
    let path = pipe(&directory);
    let mut pipe = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    fcntl_setfl(&pipe, OFlags::NONBLOCK).unwrap();
    while pipe.write(&[b' '; 512]).is_ok() {}
    let audit = Audit::open(&AuditConfig {
        wait: Duration::from_millis(20),
        sync: AuditSync::Never,
        ..config(&path)
    });
    let mut audit = audit.unwrap();
    for realm in ["held up", "behind it"] {
        let lost = record(&audit, realm).await.unwrap_err();
        assert!(matches!(lost, NotRecorded::Late), "{lost}");
    }

    // Somebody reads. The line that was on its way comes, and the one that nobody waits for does not.
    audit.config.wait = Duration::from_mins(1);
    let reader = thread::spawn(move || {
        let mut octets = Vec::new();
        while !String::from_utf8_lossy(&octets).contains("again") {
            let mut some = [0; 512];
            if let Ok(count) = pipe.read(&mut some) {
                octets.extend(&some[..count]);
            }
        }
        octets
    });
    record(&audit, "again").await.unwrap();
    let octets = reader.join().unwrap();
    let text = String::from_utf8(octets).unwrap();
    let told: Vec<_> = ["held up", "behind it", "again"]
        .into_iter()
        .filter(|realm| text.contains(realm))
        .collect();
    assert_eq!(told, ["held up", "again"]);
}
