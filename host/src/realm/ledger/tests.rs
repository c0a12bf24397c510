use super::*;

fn owner(directory: &Path) -> u32 {
    fs::metadata(directory).unwrap().uid()
}

struct House {
    directory: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("revisions")
    }

    fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.path(), owner(self.directory.path()))
    }
}

fn step() -> StepName {
    StepName::new("ticket")
}

#[test]
fn what_was_decided_is_there_after_another_start() {
    let house = House::new();
    let [bad, good] = [Digest::of(b"bad"), Digest::of(b"good")];
    let rollback = Rollback {
        from: bad,
        to: good,
    };
    let ledger = house.open().unwrap();
    ledger.withdraw("realm1", &step(), bad).unwrap();
    ledger.roll_back("realm1", &step(), rollback).unwrap();
    let ledger = house.open().unwrap();
    assert_eq!(ledger.withdrawn("realm1", &step()), [bad].into());
    assert_eq!(ledger.rollback("realm1", &step()), Some(rollback));
    assert_eq!(ledger.withdrawn("realm2", &step()), [].into());

    ledger.readmit("realm1", &step(), bad).unwrap();
    ledger.forget_rollback("realm1", &step()).unwrap();
    let ledger = house.open().unwrap();
    assert_eq!(ledger.withdrawn("realm1", &step()), [].into());
    assert_eq!(ledger.rollback("realm1", &step()), None);
    assert!(ledger.deeds.lock().is_empty());
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_nothing() {
    let house = House::new();
    let ledger = house.open().unwrap();
    ledger
        .withdraw("realm1", &step(), Digest::of(b"bad"))
        .unwrap();
    let file = house.path().join(STATE);
    let good = fs::read_to_string(&file).unwrap();
    let bad = [
        good[..good.len() / 2].to_owned(),
        String::new(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("withdrawn", "withdrwan"),
        good.replace(&Digest::of(b"bad").short(), "not hex 1234"),
    ];
    for text in bad {
        assert_ne!(text, good);
        fs::write(&file, &text).unwrap();
        let error = house.open().unwrap_err();
        assert!(
            matches!(error, LedgerError::Unreadable { .. }),
            "{text}: {error}"
        );
    }
    fs::write(&file, &good).unwrap();
    house.open().unwrap();
}

#[test]
fn what_could_not_be_written_is_written_when_it_is_said_again() {
    let house = House::new();
    let ledger = house.open().unwrap();
    fs::write(house.path(), "in the way").unwrap();
    let bad = Digest::of(b"bad");
    for _ in 0..2 {
        assert!(ledger.withdraw("realm1", &step(), bad).is_err());
        assert_eq!(ledger.withdrawn("realm1", &step()), [bad].into());
    }
    fs::remove_file(house.path()).unwrap();
    ledger.withdraw("realm1", &step(), bad).unwrap();
    let ledger = house.open().unwrap();
    assert_eq!(ledger.withdrawn("realm1", &step()), [bad].into());
}

#[test]
fn others_have_no_business_there() {
    let house = House::new();
    let ledger = house.open().unwrap();
    ledger
        .withdraw("realm1", &step(), Digest::of(b"bad"))
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&house.path()), 0o700);
    assert_eq!(mode(&house.path().join(STATE)), 0o600);
    fs::set_permissions(house.path(), Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(house.open(), Err(LedgerError::NotOurs { .. })));
    fs::set_permissions(house.path(), Permissions::from_mode(0o755)).unwrap();
    house.open().unwrap();
    let other = owner(house.directory.path()) + 1;
    let error = Ledger::open(&house.path(), other).unwrap_err();
    assert!(matches!(error, LedgerError::NotOurs { .. }), "{error}");
}

#[test]
fn a_look_from_outside_writes_nothing() {
    let house = House::new();
    let user = owner(house.directory.path());
    let ledger = Ledger::look(&house.path(), user).unwrap();
    ledger
        .withdraw("realm1", &step(), Digest::of(b"bad"))
        .unwrap();
    ledger.keep(&b"octets".to_vec().into(), None).unwrap();
    assert!(!house.path().exists());
}

#[test]
fn components_are_kept_while_they_are_used_or_needed() {
    let house = House::new();
    let ledger = house.open().unwrap();
    let [old, needed]: [Source; 2] = [b"old".to_vec().into(), b"needed".to_vec().into()];
    for source in [&old, &needed] {
        ledger.keep(source, None).unwrap();
        ledger.keep(source, None).unwrap();
    }
    let rollback = Rollback {
        from: old.digest(),
        to: needed.digest(),
    };
    ledger.roll_back("realm1", &step(), rollback).unwrap();
    let is_there = |source: &Source| ledger.kept(source.digest()).unwrap().exists();
    ledger.tidy(&house.path(), SystemTime::now()).unwrap();
    assert!(is_there(&old) && is_there(&needed));
    ledger
        .tidy(&house.path(), SystemTime::now() + KEPT_FOR * 2)
        .unwrap();
    assert!(!is_there(&old) && is_there(&needed));
}
