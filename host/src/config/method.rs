//! What a realm says about one of its methods.

use std::{collections::BTreeSet, time::Duration};

use super::{
    document::{Placed, Reported, Table, values},
    guesses::GuessLimits,
    name::{ComponentName, RoleName, SecretName, StepName},
    origin::Origin,
    procedures::Procedures,
    quantity::Octets,
    realm::check_role,
    revision::{ComponentDigest, RollbackTerms},
    scalar::Word,
    settings::{self, Settings},
};

/// What does a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodConfig {
    /// Its component, in the methods directory. Default: the step's name with `.wasm`.
    pub component: ComponentName,
    /// The only octets that its component may have. None: any.
    pub digest: Option<ComponentDigest>,
    /// When a new revision of it is given up by itself.
    pub rollback: RollbackTerms,
    /// What the realm tells it. A setting `role` is one of the realm's roles.
    pub settings: Settings,
    /// What one call of it may take.
    pub limits: CallLimits,
    /// What it may import. Default: everything that does not reach outside the host.
    pub imports: BTreeSet<Capability>,
    /// Which procedures it may ask: there if `imports` has [`Capability::Procedures`].
    pub procedures: Option<Procedures>,
    /// Where its requests may go. Empty unless it may import [`Capability::Http`].
    pub origins: BTreeSet<Origin>,
    /// How its requests say that they come from here.
    pub authorization: Option<Authorization>,
    /// What wrong answers to it lead to.
    pub guesses: GuessLimits,
    /// Whether it is asked where others could read along. None: unless clients send it a secret.
    pub cleartext: Option<Cleartext>,
    /// Whether it must stand what every method must before it goes live.
    pub conform: Conform,
}

/// Whether a component that does not conform may go live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conform {
    #[default]
    Optional,
    Required,
}

/// What there is on a connection that others could read along on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleartext {
    Allow,
    Refuse,
}

/// How a request says whose it is. The method does not see the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// `signing_key`: by a signature of its body, with the key in this file.
    Signature(SecretName),
    /// `bearer_token`: by the token in this file.
    Bearer(SecretName),
}

/// What one call of a method may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Time on the CPU.
    pub time: Duration,
    /// Time on the clock, calls of the host included.
    pub wall: Duration,
    /// All memories and tables of the instance.
    pub memory: Octets,
    /// All that the call returns.
    pub output: Octets,
    /// All that the call logs.
    pub log: Octets,
}

/// A part of the host that a realm can grant to a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// The realm's credentials.
    Credentials,
    /// Counters beside them, which make an answer good once.
    Counters,
    /// Recovery codes beside them, which are good once each.
    RecoveryCodes,
    /// What is kept of passwords for SCRAM.
    ScramKeys,
    /// Keys that clients bring along, kept for whoever shows the code that allows it.
    Enrolments,
    /// The cookie that a browser brought.
    Cookies,
    /// Facts about the client's connection.
    Transport,
    /// Lines in the operator's log.
    Logging,
    /// What the standard libraries of most languages import whether they use it or not: clocks,
    /// randomness, streams, standard output and error (which go to the log), and a file system and
    /// an environment that are empty.
    Wasi,
    /// Procedures of a realm of this router, which are named one by one.
    Procedures,
    /// Requests to the origins that the realm names.
    Http,
    /// The key sets that the realm names.
    KeySets,
}

impl Capability {
    pub const ALL: [Self; 12] = [
        Self::Credentials,
        Self::Counters,
        Self::RecoveryCodes,
        Self::ScramKeys,
        Self::Enrolments,
        Self::Cookies,
        Self::Transport,
        Self::Logging,
        Self::Wasi,
        Self::Procedures,
        Self::Http,
        Self::KeySets,
    ];

    /// Whether it must be asked for, since it reaches outside the host.
    pub const fn reaches_outside(self) -> bool {
        matches!(self, Self::Procedures | Self::Http | Self::KeySets)
    }

    /// What to write into the table of a method that is to have it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Procedures => {
                "say which in its table: procedures = { realm = \"…\", allow = [\"…\"] }"
            }
            _ => "add its name to the method's imports",
        }
    }

    /// Its name in a realm's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Counters => "counters",
            Self::RecoveryCodes => "recovery-codes",
            Self::ScramKeys => "scram-keys",
            Self::Enrolments => "enrolments",
            Self::Cookies => "cookies",
            Self::Transport => "transport",
            Self::Logging => "logging",
            Self::Wasi => "wasi",
            Self::Procedures => "procedures",
            Self::Http => "http",
            Self::KeySets => "key-sets",
        }
    }
}

impl MethodConfig {
    /// Takes `[method.STEP]`. `roles` is none where the realm's roles are wrong themselves.
    pub(super) fn take(
        mut table: Table<'_>,
        step: &StepName,
        roles: Option<&BTreeSet<RoleName>>,
    ) -> Result<Self, Reported> {
        let component = table.optional::<ComponentName>("component");
        let digest = table.optional::<ComponentDigest>("digest");
        let rollback = RollbackTerms::take(table.table("rollback"));
        let settings = table.opaque("settings");
        let limits = CallLimits::take(table.table("limits"));
        let imports = table.list::<Capability>("imports");
        let procedures = match table.optional_table("procedures") {
            Ok(Some(table)) => Procedures::take(table, &settings, limits.wall).map(Some),
            Ok(None) => Ok(None),
            Err(reported) => Err(reported),
        };
        let guesses = GuessLimits::take(table.table("guesses"));
        let cleartext = table.optional::<Cleartext>("cleartext");
        let conform = table.optional::<Conform>("conform");
        let egress = Egress::take(&mut table);

        let role =
            settings::role(&settings).map(|(at, role)| check_role(at, role, roles, table.problems));
        let settings = Settings::read(settings, table.problems);
        role.transpose()?;
        let default = Self::for_step(step);
        let procedures = procedures?;
        let imports = match imports? {
            Some(listed) => listed_with(&table, listed, procedures.is_some())?,
            None if procedures.is_some() => {
                let mut imports = default.imports;
                imports.insert(Capability::Procedures);
                imports
            }
            None => default.imports,
        };
        let (origins, authorization) = egress?.check(&imports, &table)?;
        Ok(Self {
            component: component?.map_or(default.component, |found| found.value),
            digest: digest?.map(|found| found.value),
            rollback: rollback?,
            settings: settings?,
            limits,
            imports,
            procedures,
            origins,
            authorization,
            guesses,
            cleartext: cleartext?.map(|found| found.value),
            conform: conform?.map(|found| found.value).unwrap_or_default(),
        })
    }

    /// What holds for a step that the file says nothing about.
    pub(super) fn for_step(step: &StepName) -> Self {
        let component = ComponentName::new(&format!("{step}.wasm"));
        Self {
            component: component.expect("a step's name with .wasm is a component's name"),
            digest: None,
            rollback: RollbackTerms::default(),
            settings: Settings::default(),
            limits: CallLimits::default(),
            imports: Capability::ALL
                .into_iter()
                .filter(|capability| !capability.reaches_outside())
                .collect(),
            procedures: None,
            origins: BTreeSet::new(),
            authorization: None,
            guesses: GuessLimits::default(),
            cleartext: None,
            conform: Conform::default(),
        }
    }
}

/// The list `imports`, if it and the table `procedures` are both there or both not.
fn listed_with(
    table: &Table<'_>,
    listed: Vec<Placed<Capability>>,
    has_procedures: bool,
) -> Result<BTreeSet<Capability>, Reported> {
    let of = |wanted: Capability| listed.iter().find(|found| found.value == wanted);
    match (of(Capability::Procedures), has_procedures) {
        (Some(found), false) => Err(table.problems.report(found.at, || {
            format!(
                "\"procedures\" are imported, and none is named; {}",
                Capability::Procedures.advice()
            )
        })),
        (None, true) => Err(table.problems.report(table.at, || {
            "the method has the table \"procedures\", and \"imports\" leaves them out; add \
             \"procedures\" to \"imports\", or remove one of the two"
                .to_owned()
        })),
        _ => Ok(values(listed).collect()),
    }
}

/// What belongs to [`Capability::Http`], and is of no use without it.
struct Egress {
    origins: Option<Vec<Placed<Origin>>>,
    signing_key: Option<Placed<SecretName>>,
    bearer_token: Option<Placed<SecretName>>,
}

impl Egress {
    fn take(table: &mut Table<'_>) -> Result<Self, Reported> {
        let origins = table.list::<Origin>("origins");
        let signing_key = table.optional::<SecretName>("signing_key");
        let bearer_token = table.optional::<SecretName>("bearer_token");
        Ok(Self {
            origins: origins?,
            signing_key: signing_key?,
            bearer_token: bearer_token?,
        })
    }

    /// A part of it without the others is a mistake, and would end in requests that are refused.
    fn check(
        self,
        imports: &BTreeSet<Capability>,
        table: &Table<'_>,
    ) -> Result<(BTreeSet<Origin>, Option<Authorization>), Reported> {
        let report = |message: &str| Err(table.problems.report(table.at, || message.to_owned()));
        let has_origins = self.origins.as_ref().is_some_and(|list| !list.is_empty());
        match (imports.contains(&Capability::Http), has_origins) {
            (true, false) => {
                return report(
                    "\"imports\" has \"http\", but there are no \"origins\"; list where the method's \
                     requests may go, such as origins = [\"https://auth.example.com\"]",
                );
            }
            (false, true) => {
                return report(
                    "there are \"origins\", but \"imports\" does not have \"http\"; add it, such as \
                     imports = [\"http\", \"logging\", \"transport\", \"wasi\"]",
                );
            }
            _ => {}
        }
        let authorization = match (self.signing_key, self.bearer_token) {
            (Some(_), Some(_)) => {
                return report(
                    "there are \"signing_key\" and \"bearer_token\"; keep one, best \"signing_key\"",
                );
            }
            (Some(name), None) => Some(Authorization::Signature(name.value)),
            (None, Some(name)) => Some(Authorization::Bearer(name.value)),
            (None, None) => None,
        };
        if authorization.is_some() && !has_origins {
            return report(
                "there is a secret for requests, but there are no \"origins\"; list them",
            );
        }
        let origins = values(self.origins.unwrap_or_default()).collect();
        Ok((origins, authorization))
    }
}

impl CallLimits {
    pub(super) fn take(mut table: Table<'_>) -> Self {
        let default = Self::default();
        let (millisecond, second) = (Duration::from_millis(1), Duration::from_secs(1));
        let octets = Octets::new(1)..=Octets::mib(16);
        Self {
            time: table.within_or("time", default.time, millisecond..=10 * second),
            wall: table.within_or("wall", default.wall, millisecond..=600 * second),
            // From one page of WebAssembly to the largest memory that the engine has places for.
            memory: table.within_or("memory", default.memory, Octets::kib(64)..=Octets::mib(512)),
            output: table.within_or("output", default.output, octets.clone()),
            log: table.within_or("log", default.log, octets),
        }
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(50),
            wall: Duration::from_secs(10),
            memory: Octets::mib(64),
            output: Octets::kib(64),
            log: Octets::kib(8),
        }
    }
}

impl Word for Cleartext {
    const FORM: &'static str = r#""allow" or "refuse""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("allow", Self::Allow), ("refuse", Self::Refuse)];
}

impl Word for Conform {
    const FORM: &'static str = r#""optional" or "required""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("optional", Self::Optional), ("required", Self::Required)];
}

impl Word for Capability {
    const FORM: &'static str = r#"one of "credentials", "counters", "recovery-codes", "scram-keys", "enrolments", "cookies", "transport", "logging", "wasi", "procedures", "http", "key-sets""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Credentials.name(), Self::Credentials),
        (Self::Counters.name(), Self::Counters),
        (Self::RecoveryCodes.name(), Self::RecoveryCodes),
        (Self::ScramKeys.name(), Self::ScramKeys),
        (Self::Enrolments.name(), Self::Enrolments),
        (Self::Cookies.name(), Self::Cookies),
        (Self::Transport.name(), Self::Transport),
        (Self::Logging.name(), Self::Logging),
        (Self::Wasi.name(), Self::Wasi),
        (Self::Procedures.name(), Self::Procedures),
        (Self::Http.name(), Self::Http),
        (Self::KeySets.name(), Self::KeySets),
    ];
}
