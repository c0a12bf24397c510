//! What a realm says about one of its methods.

use std::{collections::BTreeSet, time::Duration};

use super::{
    document::{Reported, Table, values},
    name::{ComponentName, RoleName, StepName},
    quantity::Octets,
    realm::check_role,
    scalar::Word,
    settings::{self, Settings},
};

/// What does a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodConfig {
    /// Its component, in the methods directory. Default: the step's name with `.wasm`.
    pub component: ComponentName,
    /// What the realm tells it. A setting `role` is one of the realm's roles.
    pub settings: Settings,
    /// What one call of it may take.
    pub limits: CallLimits,
    /// What it may import. Default: everything.
    pub imports: BTreeSet<Capability>,
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
}

impl Capability {
    pub const ALL: [Self; 7] = [
        Self::Credentials,
        Self::Counters,
        Self::RecoveryCodes,
        Self::Cookies,
        Self::Transport,
        Self::Logging,
        Self::Wasi,
    ];

    /// Its name in a realm's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Counters => "counters",
            Self::RecoveryCodes => "recovery-codes",
            Self::Cookies => "cookies",
            Self::Transport => "transport",
            Self::Logging => "logging",
            Self::Wasi => "wasi",
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
        let settings = table.opaque("settings");
        let limits = CallLimits::take(table.table("limits"));
        let imports = table.list::<Capability>("imports");

        let role =
            settings::role(&settings).map(|(at, role)| check_role(at, role, roles, table.problems));
        let settings = Settings::read(settings, table.problems);
        role.transpose()?;
        let default = Self::for_step(step);
        Ok(Self {
            component: component?.map_or(default.component, |found| found.value),
            settings: settings?,
            limits,
            imports: imports?.map_or(default.imports, |found| values(found).collect()),
        })
    }

    /// What holds for a step that the file says nothing about.
    pub(super) fn for_step(step: &StepName) -> Self {
        let component = ComponentName::new(&format!("{step}.wasm"));
        Self {
            component: component.expect("a step's name with .wasm is a component's name"),
            settings: Settings::default(),
            limits: CallLimits::default(),
            imports: Capability::ALL.into(),
        }
    }
}

impl CallLimits {
    fn take(mut table: Table<'_>) -> Self {
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

impl Word for Capability {
    const FORM: &'static str = r#"one of "credentials", "counters", "recovery-codes", "cookies", "transport", "logging", "wasi""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Credentials.name(), Self::Credentials),
        (Self::Counters.name(), Self::Counters),
        (Self::RecoveryCodes.name(), Self::RecoveryCodes),
        (Self::Cookies.name(), Self::Cookies),
        (Self::Transport.name(), Self::Transport),
        (Self::Logging.name(), Self::Logging),
        (Self::Wasi.name(), Self::Wasi),
    ];
}
