//! What any method must stand, whoever has written it: each [`Check`] with why it matters. A table
//! lends the checks its settings, its credentials and its right answers; without one those are left out
//! that need them.

mod answers;
mod enumeration;
mod input;
mod itself;

use std::{fmt, sync::Arc};

use super::{
    difference::differences,
    play::{Played, Said},
    scene::{Candidate, Scene, TrialError},
    script::Script,
};
use crate::{
    config::{TestAttempt, TestTable},
    method::{Revision, Runtime, Source},
};

/// One thing that a method must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    Table,
    Describe,
    Settings,
    Determinism,
    Nonce,
    Replay,
    Realm,
    Enumeration,
    Input,
    State,
    Proven,
    Secrets,
    Rounds,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The author should know.
    Warning,
    /// The method does not conform.
    Failure,
}

/// Something that a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub check: Check,
    pub severity: Severity,
    /// What the method did; foreign words may be in it.
    pub what: String,
}

/// What came of it all.
#[derive(Debug)]
pub struct Conformance {
    pub revision: Arc<Revision>,
    pub findings: Vec<Finding>,
    /// How often each check has looked at something. Those that are not there had nothing to look at.
    pub looks: Vec<(Check, usize)>,
}

impl Check {
    pub const ALL: [Self; 13] = [
        Self::Table,
        Self::Describe,
        Self::Settings,
        Self::Determinism,
        Self::Nonce,
        Self::Replay,
        Self::Realm,
        Self::Enumeration,
        Self::Input,
        Self::State,
        Self::Proven,
        Self::Secrets,
        Self::Rounds,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Describe => "describe",
            Self::Settings => "settings",
            Self::Determinism => "determinism",
            Self::Nonce => "nonce",
            Self::Replay => "replay",
            Self::Realm => "realm",
            Self::Enumeration => "enumeration",
            Self::Input => "input",
            Self::State => "state",
            Self::Proven => "proven",
            Self::Secrets => "secrets",
            Self::Rounds => "rounds",
        }
    }

    /// What must hold.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Table => "it says what its table expects",
            Self::Describe => "it describes itself the same each time",
            Self::Settings => "settings that it cannot work with are refused, whatever they are",
            Self::Determinism => "the same attempt gets the same verdict",
            Self::Nonce => "a challenge is made of the host's nonce",
            Self::Replay => "an answer is good for one challenge",
            Self::Realm => "an answer is good in one realm",
            Self::Enumeration => "who does not exist is treated like who does",
            Self::Input => "whatever a client sends, there is a verdict",
            Self::State => "a state that it did not write leads to no fault",
            Self::Proven => "whoever the step before has found proves itself anew",
            Self::Secrets => "no secret is in what it tells the operator",
            Self::Rounds => "a client that answers wrongly is denied some time",
        }
    }

    /// What happens where it does not hold.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Table => "the author's own known answers are the least that must be right",
            Self::Describe => {
                "a router asks at each load, and decides by it who is enrolled and whether a \
                 connection in clear will do"
            }
            Self::Settings => {
                "a trap tells the person who wrote them nothing, and a typing error that is taken for a \
                 setting even less"
            }
            Self::Determinism => {
                "time and randomness come with the attempt; what comes from elsewhere cannot be \
                 tested, explained or told apart from a defect"
            }
            Self::Nonce => {
                "the host sends no other: clients could be made to sign what another realm waits for"
            }
            Self::Replay => {
                "whoever overhears a login could repeat it; where clients send a secret as it is, the \
                 manifest must say so, and then no connection in clear is used"
            }
            Self::Realm => "a user of one tenant could log in at another's",
            Self::Enumeration => {
                "anybody could find out who has an account, by the answer or by the time it takes"
            }
            Self::Input => {
                "anybody could have the log fill with faults, or find the input that does more"
            }
            Self::State => "a new revision may meet the states of the one before it",
            Self::Proven => "with a second factor of one's own one could pass for somebody else",
            Self::Secrets => "logs are read by more people than may know a password",
            Self::Rounds => "a login would only end when its time is up",
        }
    }
}

impl Conformance {
    #[must_use]
    pub fn passed(&self) -> bool {
        let mut severities = self.findings.iter().map(|finding| finding.severity);
        severities.all(|severity| severity == Severity::Warning)
    }

    /// What a check has found.
    pub fn of(&self, check: Check) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |it| it.check == check)
    }

    /// How often a check has looked at something.
    #[must_use]
    pub fn looks(&self, check: Check) -> usize {
        let mut looks = self.looks.iter();
        looks
            .find(|(of, _)| *of == check)
            .map_or(0, |(_, many)| *many)
    }
}

/// Compiles a component and puts it through all checks. The runtime must be a metered one for the work
/// of those who exist and those who do not to be compared.
///
/// # Errors
///
/// If it does not come so far that it can be asked.
pub async fn conform(
    runtime: &Arc<Runtime>,
    source: Source,
    table: Option<&TestTable>,
) -> Result<Conformance, TrialError> {
    let candidate = Candidate::load(runtime, source).await?;
    conform_with(&candidate, table).await
}

async fn conform_with(
    candidate: &Candidate,
    table: Option<&TestTable>,
) -> Result<Conformance, TrialError> {
    let empty = TestTable::empty();
    let mut suite = Suite {
        candidate,
        table: table.unwrap_or(&empty),
        accepted: Vec::new(),
        never_answers: false,
        findings: Vec::new(),
        looks: Vec::new(),
    };
    suite.by_table().await?;
    suite.describes_itself().await;
    suite.checks_settings().await;
    if suite.never_answers {
        suite.look(Check::Input);
        suite.fail(
            Check::Input,
            "it never answers, whatever it is asked; so the rest was not looked at",
        );
    } else {
        suite.is_asked().await?;
    }
    let Suite {
        findings, looks, ..
    } = suite;
    Ok(Conformance {
        revision: Arc::clone(&candidate.revision),
        findings,
        looks,
    })
}

struct Suite<'a> {
    candidate: &'a Candidate,
    table: &'a TestTable,
    /// The table's attempts that were accepted as they should be.
    accepted: Vec<Accepted<'a>>,
    /// Each of the table's attempts ran out of time, and so did one without it: who asks on waits for
    /// each of hundreds of calls.
    never_answers: bool,
    findings: Vec<Finding>,
    looks: Vec<(Check, usize)>,
}

struct Accepted<'a> {
    attempt: &'a TestAttempt,
    /// With the answers as they were sent.
    script: Script,
}

impl Suite<'_> {
    /// What is found out by asking it other things than its table has.
    async fn is_asked(&mut self) -> Result<(), TrialError> {
        self.decides_the_same().await?;
        self.takes_no_answer_twice().await?;
        self.takes_no_answer_elsewhere().await?;
        self.treats_everyone_alike().await?;
        self.stands_any_input().await?;
        self.stands_any_state().await?;
        self.proves_anew().await?;
        self.keeps_secrets_and_ends().await
    }

    /// Runs the table, and keeps what was accepted for the other checks.
    async fn by_table(&mut self) -> Result<(), TrialError> {
        let scene = self.scene(self.table).await?;
        self.never_answers = true;
        for attempt in &self.table.attempts {
            self.look(Check::Table);
            let script = match Script::of(attempt) {
                Ok(script) => script,
                Err(why) => {
                    self.fail(Check::Table, format!("{}: {why}", attempt.name));
                    continue;
                }
            };
            let played = scene.play(&script).await;
            self.never_answers &= is_late(&played);
            let differences = differences(attempt, &played);
            for difference in &differences {
                self.fail(Check::Table, format!("{}: {difference}", attempt.name));
            }
            if played
                .turns
                .iter()
                .any(|turn| is_fault(&turn.said, "nonce"))
            {
                self.fail(Check::Nonce, format!("{}: {}", attempt.name, played.said()));
            }
            if played.identity().is_some() && differences.is_empty() {
                self.accepted.push(Accepted {
                    attempt,
                    script: script.as_sent(&played),
                });
            }
        }
        // Also where there is no table.
        self.look(Check::Nonce);
        let played = scene.play(&Script::plain("alice")).await;
        self.never_answers &= is_late(&played);
        if is_fault(played.said(), "nonce") {
            self.fail(Check::Nonce, played.said().to_string());
        }
        Ok(())
    }

    async fn scene(&self, table: &TestTable) -> Result<Scene, TrialError> {
        Scene::set(self.candidate, table, 0).await
    }

    fn clear_secret(&self) -> bool {
        self.candidate.revision.manifest.clear_secret
    }

    fn works_with_credentials(&self) -> bool {
        !self.candidate.revision.manifest.credential_kinds.is_empty()
    }

    fn look(&mut self, check: Check) {
        match self.looks.iter_mut().find(|(of, _)| *of == check) {
            Some((_, many)) => *many += 1,
            None => self.looks.push((check, 1)),
        }
    }

    fn fail(&mut self, check: Check, what: impl Into<String>) {
        self.find(check, Severity::Failure, what);
    }

    fn warn(&mut self, check: Check, what: impl Into<String>) {
        self.find(check, Severity::Warning, what);
    }

    /// The same once only: many inputs lead to one defect.
    fn find(&mut self, check: Check, severity: Severity, what: impl Into<String>) {
        let finding = Finding {
            check,
            severity,
            what: what.into(),
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Whether its first call took longer than calls may.
fn is_late(played: &Played) -> bool {
    let first = played.turns.first();
    first.is_some_and(|turn| is_fault(&turn.said, "time") || is_fault(&turn.said, "wall"))
}

fn is_fault(said: &Said, wanted: &str) -> bool {
    matches!(said, Said::Fault(label, _) if *label == wanted)
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
