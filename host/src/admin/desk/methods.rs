//! What is asked about methods and their revisions.

use std::{
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::bail;

use crate::{
    admin::{Desk, Response, RevisionReport, StageReport, StagingReport},
    method::Passed,
    realm::{Part, Realm, RevisionState, RevisionStatus, Selection, Share, Withdrawal},
    router::Farewell,
    wamp::reason,
};

/// What ends a rollback.
const UNTIL: &str = "It stays so until the component's file changes.";

impl Desk {
    pub(super) fn methods(&self, realm: Option<&str>) -> anyhow::Result<Response> {
        let mut realms = match realm {
            None => self.realms.all(),
            Some(name) => vec![self.realm(name)?],
        };
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        let reports = realms.iter().flat_map(|realm| {
            let statuses = realm.revisions().into_iter();
            statuses.map(|status| report(realm, status))
        });
        Ok(Response::Methods(reports.collect()))
    }

    pub(super) async fn stage(
        &self,
        realm: &str,
        step: &str,
        file: &Path,
        table: Option<&Path>,
    ) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let config = self.directory.join(format!("{}.toml", realm.name));
        let staging = self
            .workshop
            .stage(&self.realms, &realm, &config, step, file, table)
            .await;
        let stages = staging.trail.passed().iter().map(stage).collect();
        let (digest, failed, why) = match staging.outcome {
            Ok(digest) => (Some(digest.to_string()), None, None),
            Err(error) => {
                let stage = error.stage();
                tracing::warn!(
                    realm = %realm.name, step, file = %file.display(), stage, %error,
                    "a component is not staged"
                );
                (None, stage.map(str::to_owned), Some(error.to_string()))
            }
        };
        Ok(Response::Staged(StagingReport {
            stages,
            digest,
            failed,
            why,
        }))
    }

    pub(super) async fn roll_back(&self, realm: &str, step: &str) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let rolled_back = realm.roll_back(step).await?;
        let [from, to] = [rolled_back.from.short(), rolled_back.to.short()];
        let line = format!(
            "{step} of {} is {to} again, and {from} no more.",
            realm.name
        );
        Ok(match rolled_back.unrecorded {
            None => Response::Done(format!("{line} {UNTIL}")),
            Some(why) => Response::Refused(format!("{line}\n{}", unrecorded(&why))),
        })
    }

    pub(super) fn withdraw(
        &self,
        realm: &str,
        which: &str,
        end_sessions: bool,
    ) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let Withdrawal {
            withdrawn,
            unrecorded: why,
        } = realm.withdraw(which)?;
        let ended = end_sessions.then(|| {
            let ended = withdrawn.iter().map(|withdrawn| {
                let selection = Selection {
                    step: Some(withdrawn.step.clone()),
                    ..Selection::of_revision(withdrawn.digest)
                };
                let farewell = Farewell::new(
                    reason::CLOSE_REVOKED,
                    "what let this session in was withdrawn",
                    "a withdrawn revision",
                );
                realm.end_sessions(&selection, &farewell).len()
            });
            ended.sum::<usize>()
        });
        let lines = withdrawn.iter().map(|withdrawn| {
            let consequence = if withdrawn.was_live {
                "nobody can log in by it until another component is in its place, nor after a new start"
            } else {
                "the step cannot go back to it"
            };
            let (step, revision) = (&withdrawn.step, withdrawn.digest.short());
            format!(
                "{step} of {}: {revision} is withdrawn: {consequence}.",
                realm.name
            )
        });
        let mut lines: Vec<_> = lines.collect();
        if let Some(ended) = ended {
            lines.push(format!("{ended} sessions were ended that it had let in."));
        }
        Ok(told(lines, why))
    }

    pub(super) fn readmit(&self, realm: &str, which: &str) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let Withdrawal {
            withdrawn: readmitted,
            unrecorded: why,
        } = realm.readmit(which)?;
        let lines = readmitted.iter().map(|readmitted| {
            let (step, revision) = (&readmitted.step, readmitted.digest.short());
            format!(
                "{step} of {}: {revision} is not withdrawn any more.",
                realm.name
            )
        });
        Ok(told(lines.collect(), why))
    }

    pub(super) async fn canary(
        &self,
        realm: &str,
        step: &str,
        thousandths: u16,
    ) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let Some(share) = Share::new(thousandths) else {
            bail!("{thousandths} thousandths are more than all logins");
        };
        let digest = realm.set_part(step, Part::Canary(share)).await?.short();
        Ok(Response::Done(format!(
            "{} of the logins of {} are decided by {digest} where they come to {step}.",
            percent(share),
            realm.name
        )))
    }

    pub(super) async fn shadow(&self, realm: &str, step: &str) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let digest = realm.set_part(step, Part::Shadow).await?.short();
        Ok(Response::Done(format!(
            "{digest} is asked beside what decides in {step} of {}: countersign method list counts \
             how often they differ.",
            realm.name
        )))
    }

    pub(super) fn unstage(&self, realm: &str, step: &str) -> anyhow::Result<Response> {
        let realm = self.realm(realm)?;
        let digest = realm.unstage(step)?.short();
        Ok(Response::Done(format!(
            "{digest} is not staged for {step} of {} any more.",
            realm.name
        )))
    }
}

/// What was done, and that it is good until the next start only, if so.
fn told(mut lines: Vec<String>, why: Option<String>) -> Response {
    match why {
        None => Response::Done(lines.join("\n")),
        Some(why) => {
            lines.push(unrecorded(&why));
            Response::Refused(lines.join("\n"))
        }
    }
}

fn unrecorded(why: &str) -> String {
    format!(
        "But it cannot be written down ({why}), so the next start does not know of it: see to the \
         directory of [methods] revisions, and do it again."
    )
}

fn percent(share: Share) -> String {
    let thousandths = share.thousandths();
    match thousandths % 10 {
        0 => format!("{}%", thousandths / 10),
        tenths => format!("{}.{tenths}%", thousandths / 10),
    }
}

pub(super) fn no_realm(name: &str) -> Response {
    Response::Refused(format!("there is no realm {name:?} in this router"))
}

fn stage(passed: &Passed) -> StageReport {
    StageReport {
        stage: passed.stage.name().into(),
        took_us: micros(passed.took),
        how: passed.how.clone(),
    }
}

fn report(realm: &Realm, status: RevisionStatus) -> RevisionReport {
    let (state, share) = match status.state {
        RevisionState::Live => ("live", None),
        RevisionState::RolledBack => ("rolled back", None),
        RevisionState::Earlier => ("earlier", None),
        RevisionState::Staged(Part::Idle) => ("staged", None),
        RevisionState::Staged(Part::Shadow) => ("shadow", None),
        RevisionState::Staged(Part::Canary(share)) => ("canary", Some(share.thousandths())),
    };
    let since = status.since.duration_since(UNIX_EPOCH).unwrap_or_default();
    RevisionReport {
        realm: realm.name.as_ref().to_owned(),
        step: status.step.to_string(),
        digest: status.digest.to_string(),
        method: status.manifest.name,
        version: status.manifest.version,
        state: state.into(),
        share,
        withdrawn: status.is_withdrawn,
        since: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        logins: status.accepted,
        failures: status.denied,
        faults: status.faults,
        undecided: status.undecided,
        mean_us: status.mean.map(micros),
        p99_us: status.p99.map(micros),
        agreed: status.beside.agreed,
        disagreed: status.beside.disagreed,
        skipped: status.beside.skipped,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
