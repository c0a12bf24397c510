use std::{ops::ControlFlow, sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::{SessionSettings, Sessions, part};
use crate::{
    login::{
        Accepted, Authid, Call, Denial, Effect, Fault, Login, Outcome, Refusal, StepName, Verdict,
    },
    method::{self, Decided, Evidence, LoginPlace, Method, Shadow},
    observe::{Audit, LoginRecord, Printable, StepRecord},
    realm::{Came, Generation, LiveSession, NotAdmitted, Part, Passed, Realm, Realms, Seat, Ties},
    transport::{Broken, Connection, Wire},
    wamp::{Id, Message},
};

/// A login that its client has passed.
pub(super) struct Joined {
    pub(super) seat: Seat,
    pub(super) accepted: Accepted,
    pub(super) ties: Ties,
}

/// Who does a step in this login.
struct Chosen {
    step: StepName,
    method: Arc<Method>,
    shadow: Option<Shadow>,
}

/// Drives one login: does what [`Login`] says.
pub(super) struct Joining<'a> {
    settings: &'a SessionSettings,
    realms: &'a Realms,
    /// Where the login is put on record before its client hears what came of it.
    audit: Option<&'a Audit>,
    connection: Arc<Connection>,
    since: Instant,
    session: Id,
    login: Login,
    /// As the client named it; empty before HELLO.
    asked_for: String,
    /// Of the realm as it was at HELLO. The login finishes on this generation.
    realm: Option<(Arc<Realm>, Arc<Generation>)>,
    /// Who is asked where a staged revision may be: for all of the login.
    chosen: Vec<Chosen>,
    /// The first step of the alternative that is gone through.
    authmethod: Option<StepName>,
    /// Among those of its realm that are under way.
    place: Option<LoginPlace>,
    /// What the methods of this alternative were shown.
    evidence: Arc<Evidence>,
    /// The steps of this alternative that were passed so far.
    passed: Vec<Passed>,
}

impl<'a> Joining<'a> {
    pub(super) fn new(sessions: &'a Sessions, connection: Arc<Connection>, since: Instant) -> Self {
        let Sessions {
            settings,
            realms,
            audit,
            ..
        } = sessions;
        let session = Id::from_random(u64::from_le_bytes(random()));
        let login = Login::new(settings.login, session, random, connection.confidential);
        Self {
            settings,
            realms,
            audit: audit.as_ref(),
            connection,
            since,
            session,
            login,
            asked_for: String::new(),
            realm: None,
            chosen: Vec::new(),
            authmethod: None,
            place: None,
            evidence: Arc::default(),
            passed: Vec::new(),
        }
    }

    /// Takes the client to its session, or tells it why not. None: it is gone.
    pub(super) async fn run<W: Wire>(mut self, wire: &mut W) -> Option<Joined> {
        let outcome = self.outcome(wire).await;
        let (outcome, seat) = self.admit(outcome);
        // Who reads that a login is over may count on its place.
        self.place = None;
        let (outcome, seat) = self.record(outcome, seat).await;
        match outcome {
            Outcome::Accepted(mut accepted) => {
                let seat = seat?;
                // The machine accepts nobody before it has seen a realm.
                let (realm, generation) = self.realm?;
                let came = Came {
                    accepted: &accepted,
                    seen: self.evidence.seen(),
                    connection: &self.connection,
                };
                let (ties, code) = realm.remember(&generation, came);
                if let Some(code) = code {
                    accepted.authextra.insert("cookie", code.expose().as_str());
                }
                Some(Joined {
                    seat,
                    accepted,
                    ties,
                })
            }
            Outcome::Denied(denial) => {
                part(wire, &denial.refusal.abort()).await;
                None
            }
            Outcome::Left => None,
        }
    }

    /// Puts a session on its realm's roll, unless what it rests on has ended during the login.
    fn admit(&mut self, outcome: Outcome) -> (Outcome, Option<Seat>) {
        let (Outcome::Accepted(accepted), Some((realm, generation))) = (&outcome, &self.realm)
        else {
            return (outcome, None);
        };
        let session = LiveSession::new(
            accepted,
            std::mem::take(&mut self.passed),
            self.evidence.seen(),
            generation,
            &self.connection.peer,
        );
        match realm.admit(session) {
            Ok(seat) => (outcome, Some(seat)),
            Err(why) => {
                let refusal = match &why {
                    NotAdmitted::Credential { .. }
                    | NotAdmitted::Role(_)
                    | NotAdmitted::Barred(_) => Refusal::Denied,
                    NotAdmitted::Taken(_) | NotAdmitted::Store(_) => Refusal::Unavailable,
                };
                let why = why.to_string();
                (Outcome::Denied(Denial { refusal, why }), None)
            }
        }
    }

    async fn outcome<W: Wire>(&mut self, wire: &mut W) -> Outcome {
        let mut effect = self.hear(wire).await;
        loop {
            effect = match effect {
                Effect::Open { realm } => self.open(realm),
                Effect::Call(call) => self.ask(wire, call).await,
                Effect::Enrolled { step, authid } => self.look_up(&step, &authid),
                Effect::Send(message) => match self.send(wire, &message).await {
                    ControlFlow::Continue(()) => self.hear(wire).await,
                    ControlFlow::Break(effect) => effect,
                },
                Effect::End(outcome) => return outcome,
            };
        }
    }

    fn open(&mut self, realm: String) -> Effect {
        let found = self.realms.find(&realm);
        self.asked_for = realm;
        self.realm = found.map(|realm| {
            let generation = realm.generation();
            (realm, generation)
        });
        let Some((_, generation)) = &self.realm else {
            return self.login.open(None);
        };
        match generation.bulkhead.enter() {
            Ok(place) => self.place = Some(place),
            Err(full) => return self.login.turn_away(full.to_string()),
        }
        self.login.open(Some(Arc::clone(&generation.policy)))
    }

    /// Asks a method, and listens to the client meanwhile: one that leaves is not worth the work,
    /// and one that talks out of turn is not heard to the end.
    async fn ask<W: Wire>(&mut self, wire: &mut W, call: Call) -> Effect {
        let deadline = self.deadline();
        if self.passed.is_empty() {
            self.authmethod = Some(call.step.clone());
        }
        let method = self.method(&call.step);
        let revision = method.as_ref().map(|method| method.revision.digest);
        let passed = method.as_ref().map(|method| Passed {
            step: call.step.clone(),
            revision: method.revision.digest,
        });
        let connection = Arc::clone(&self.connection);
        let evidence = Arc::clone(&self.evidence);
        let realm = self.realm.as_ref().map(|(realm, _)| Arc::clone(realm));
        let now = SystemTime::now();
        let asked = self.shadow(&call.step).is_some().then(|| call.clone());
        let asking = async move {
            let verdict = match &method {
                Some(method) => method.call_at(now, call, &connection, &evidence).await,
                None => Err(method::Fault::Undecided("the step has no method".into())),
            };
            if let (Some(realm), Some(family)) = (realm, evidence.seen().replayed) {
                realm.end_family(family).await;
            }
            verdict
        };
        tokio::select! {
            biased;
            verdict = asking => {
                if let Some(call) = asked {
                    self.show(call, now, &verdict);
                }
                let verdict = verdict.map_err(|fault| Fault {
                    overload: fault.is_overload(),
                    why: match revision {
                        Some(revision) => format!("{fault} (revision {})", revision.short()),
                        None => fault.to_string(),
                    },
                });
                self.decide(verdict, passed)
            },
            frame = wire.next() => self.receive(wire, frame),
            () = tokio::time::sleep_until(deadline) => self.login.expire(),
        }
    }

    fn look_up(&mut self, step: &StepName, authid: &Authid) -> Effect {
        let enrolled = match self.method(step) {
            Some(method) => method.is_enrolled(authid).map_err(|fault| Fault {
                overload: fault.is_overload(),
                why: fault.to_string(),
            }),
            None => Err(no_method()),
        };
        self.login.enrolled(enrolled)
    }

    /// Who does a step. Where a staged revision may, that is decided once: what one revision has
    /// begun, another must not go on with.
    fn method(&mut self, step: &StepName) -> Option<Arc<Method>> {
        let (_, generation) = self.realm.as_ref()?;
        let live = generation.methods.get(step)?;
        let Some(aside) = generation.aside.get(step) else {
            return Some(Arc::clone(live));
        };
        if let Some(chosen) = self.chosen.iter().find(|chosen| chosen.step == *step) {
            return Some(Arc::clone(&chosen.method));
        }
        let staged = &aside.method;
        let (method, shadow) = match aside.part {
            Part::Canary(share) if share.has(u64::from_le_bytes(random())) => (staged, None),
            Part::Canary(_) | Part::Idle => (live, None),
            Part::Shadow => (live, Some(Shadow::new(Arc::clone(staged)))),
        };
        let method = Arc::clone(method);
        self.chosen.push(Chosen {
            step: step.clone(),
            method: Arc::clone(&method),
            shadow,
        });
        Some(method)
    }

    fn shadow(&mut self, step: &StepName) -> Option<&mut Shadow> {
        let mut chosen = self.chosen.iter_mut();
        let chosen = chosen.find(|chosen| chosen.step == *step)?;
        chosen.shadow.as_mut()
    }

    /// Has the shadow of a step asked what the step was.
    fn show(&mut self, call: Call, now: SystemTime, verdict: &Result<Verdict, method::Fault>) {
        let locked = self.evidence.seen().locked;
        let connection = Arc::clone(&self.connection);
        if let Some(shadow) = self.shadow(&call.step.clone()) {
            let decided = Decided {
                call,
                now,
                verdict,
                locked,
            };
            shadow.follow(decided, &connection);
        }
    }

    fn decide(&mut self, verdict: Result<Verdict, Fault>, asked: Option<Passed>) -> Effect {
        match verdict {
            // The next alternative begins with nothing.
            Ok(Verdict::NotMine) => {
                self.evidence = Arc::default();
                self.passed.clear();
            }
            Ok(Verdict::Accept(_)) => self.passed.extend(asked),
            _ => {}
        }
        self.login.decide(verdict, self.since.elapsed())
    }

    async fn hear<W: Wire>(&mut self, wire: &mut W) -> Effect {
        match timeout_at(self.deadline(), wire.next()).await {
            Ok(frame) => self.receive(wire, frame),
            Err(_) => self.login.expire(),
        }
    }

    fn receive<W: Wire>(&mut self, wire: &W, frame: Option<Result<Bytes, Broken>>) -> Effect {
        match frame {
            None => Effect::End(Outcome::Left),
            Some(Err(broken)) if broken.is_violation() => {
                self.login.receive_malformed(broken.to_string())
            }
            Some(Err(broken)) => {
                tracing::debug!(peer = self.connection.peer, %broken, "a login broke off");
                Effect::End(Outcome::Left)
            }
            Some(Ok(frame)) => {
                match Message::decode(wire.serializer(), &frame, self.settings.nesting) {
                    Ok(message) => self.login.receive(message, self.since.elapsed()),
                    Err(malformed) => self.login.receive_malformed(malformed.to_string()),
                }
            }
        }
    }

    async fn send<W: Wire>(&mut self, wire: &mut W, message: &Message) -> ControlFlow<Effect> {
        let Ok(frame) = message.encode(wire.serializer()) else {
            // Only foreign payloads can fail, and a CHALLENGE has none.
            return ControlFlow::Break(Effect::End(Outcome::Left));
        };
        match timeout_at(self.deadline(), wire.send(frame)).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(Effect::End(Outcome::Left)),
            Err(_) => ControlFlow::Break(self.login.expire()),
        }
    }

    fn deadline(&self) -> Instant {
        self.since + self.login.deadline()
    }

    /// Takes note of what came of a login. It comes before WELCOME, so that nobody is in of whom
    /// nothing is known: where that cannot be put on record, the login comes to nothing.
    async fn record(&self, outcome: Outcome, seat: Option<Seat>) -> (Outcome, Option<Seat>) {
        // Ports are scanned and connections dropped all day; that is no login.
        if matches!(outcome, Outcome::Left) && self.asked_for.is_empty() {
            tracing::debug!(peer = self.connection.peer, "a client left before HELLO");
            return (outcome, seat);
        }
        let known = match &outcome {
            Outcome::Accepted(accepted) => Some(accepted.authid.shared()),
            Outcome::Denied(_) | Outcome::Left => self.evidence.known(),
        };
        let known = known.as_deref();
        let record = self.describe(&outcome, known);
        let lost = match self.audit {
            Some(audit) => audit.record(&record).await.err(),
            None => None,
        };
        let (Some(lost), Outcome::Accepted(_)) = (lost, &outcome) else {
            self.tell(record);
            return (outcome, seat);
        };
        let instead = Outcome::Denied(Denial {
            refusal: Refusal::Unavailable,
            why: lost.to_string(),
        });
        let record = self.describe(&instead, known);
        if let Some(audit) = self.audit {
            audit.correct(&record);
        }
        self.tell(record);
        (instead, None)
    }

    /// Counts a login that is over, and says so in the log.
    fn tell(&self, record: LoginRecord<'_>) {
        // With the time that it took to put it on record.
        let took = self.since.elapsed();
        let tally = match &self.realm {
            Some((realm, _)) => &realm.logins,
            None => &self.realms.nowhere,
        };
        tally.note(self.authmethod.as_ref(), record.outcome, took);
        LoginRecord { took, ..record }.log();
    }

    fn describe<'b>(&'b self, outcome: &'b Outcome, known: Option<&'b str>) -> LoginRecord<'b> {
        let steps = self.login.transcript().iter().map(|entry| StepRecord {
            step: entry.step.as_str(),
            revision: self.revision(&entry.step),
            said: Printable(&entry.said),
        });
        LoginRecord {
            peer: &self.connection.peer,
            realm: &self.asked_for,
            session: self.session.as_u64(),
            outcome,
            known,
            steps: steps.collect(),
            generation: self.realm.as_ref().map(|(_, generation)| generation.number),
            took: self.since.elapsed(),
        }
    }

    /// Who was asked for a step, where that is put on record.
    fn revision(&self, step: &StepName) -> Option<String> {
        self.audit?;
        let chosen = self.chosen.iter().find(|chosen| chosen.step == *step);
        let method = match chosen {
            Some(chosen) => &chosen.method,
            None => self.realm.as_ref()?.1.methods.get(step)?,
        };
        Some(method.revision.digest.to_string())
    }
}

/// A generation has a method for each step of its policy.
fn no_method() -> Fault {
    Fault {
        overload: false,
        why: "the step has no method".into(),
    }
}

/// Octets of the system's randomness.
fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    // A router without randomness must not hand out sessions, and nothing can be done about it.
    getrandom::fill(&mut octets).expect("the system gives randomness");
    octets
}
