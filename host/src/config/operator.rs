//! `countersign.toml`: what the operator decides for the whole router.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    admin::AdminConfig,
    audit::AuditConfig,
    document::{self, Reported, Table},
    egress::EgressConfig,
    error::{self, ConfigError},
    limits::Ceilings,
    listener::{self, Listener},
    loading::LoadingConfig,
    metrics::MetricsConfig,
    quantity::Octets,
};

const HOUR: Duration = Duration::from_hours(1);

/// The operator's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Where clients connect. At least one.
    pub listeners: Vec<Listener>,
    /// The directory of the realms' files. Like every path here it is resolved against the
    /// directory of `countersign.toml`.
    pub realms: PathBuf,
    /// The directory of the components.
    pub methods: PathBuf,
    /// Whose components are run, and how they are compiled.
    pub loading: LoadingConfig,
    /// The file of the credentials.
    pub credentials: PathBuf,
    /// What a client may take before WELCOME.
    pub login: LoginLimits,
    /// What a client may take after WELCOME.
    pub session: SessionLimits,
    /// What checking passwords may take.
    pub passwords: PasswordLimits,
    /// What requests of the router's own may do.
    pub egress: EgressConfig,
    /// Where the router takes the operator's commands.
    pub admin: AdminConfig,
    /// Where its counts are read.
    pub metrics: MetricsConfig,
    /// Where logins are put on record. None: in the log only.
    pub audit: Option<AuditConfig>,
    /// The most that realms may have.
    pub ceilings: Ceilings,
}

/// `[login]`: bounds on a connection until WELCOME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// The largest message.
    pub message_size: Octets,
    /// The deepest nesting of lists and dictionaries in a message.
    pub nesting: u32,
    /// The time from the connection's start to its HELLO, WebSocket upgrade included.
    pub hello: Duration,
    /// The time from a CHALLENGE to its AUTHENTICATE. A person may have to type.
    pub round: Duration,
    /// The time from HELLO to WELCOME.
    pub total: Duration,
    /// The most CHALLENGEs.
    pub rounds: u32,
    /// The most logins under way at one time, in the whole router.
    pub waiting: u32,
}

/// `[session]`: bounds on a connection after WELCOME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// The largest message.
    pub message_size: Octets,
    /// How much may wait for a client that does not read; beyond it the session is ended. At least
    /// `message_size`.
    pub queue: Octets,
    /// The interval between WebSocket pings. A client that answers none for two of them is gone.
    pub ping: Duration,
}

/// `[passwords]`: bounds on the slow function that passwords are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordLimits {
    /// How many are checked at one time, as the file has it.
    pub parallel: Option<NonZeroUsize>,
    /// How many more may wait,
    pub queue: u32,
    /// and for how long.
    pub wait: Duration,
    /// What those may have together that run, as the file has it.
    pub memory: Option<Octets>,
}

impl Operator {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong; then all that is wrong is told.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let advice = "create it, or name another with --config";
        Self::parse(&error::read(path, advice)?, path)
    }

    /// The configuration in `text`. `file` is not opened: its name is for the errors, and relative
    /// paths in the text start from its directory.
    ///
    /// # Errors
    ///
    /// Something in the text is wrong: [`ConfigError::Wrong`], with all that is.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let base = file.parent().unwrap_or(Path::new(""));
        document::parse(text, file, |mut top| {
            let listeners = listener::take(&mut top, base);
            let realms = path(&mut top, "realms", "directory", base.join("realms"), base);
            let methods = LoadingConfig::take(top.table("methods"), base);
            let credentials = path(
                &mut top,
                "credentials",
                "file",
                base.join("credentials.db"),
                base,
            );
            let login = LoginLimits::take(top.table("login"));
            let session = SessionLimits::take(top.table("session"));
            let passwords = PasswordLimits::take(top.table("passwords"));
            let egress = EgressConfig::take(top.table("egress"), base);
            let admin = AdminConfig::take(top.table("admin"), base);
            let metrics = MetricsConfig::take(top.table("metrics"));
            let audit = AuditConfig::take(&mut top, base);
            let (methods, loading) = methods?;
            let ceilings = Ceilings::take(top.table("limits"), file);
            Ok(Self {
                listeners: listeners?,
                realms: realms?,
                methods,
                loading,
                credentials: credentials?,
                login,
                session,
                passwords,
                egress: egress?,
                admin: admin?,
                metrics: metrics?,
                audit: audit?,
                ceilings,
            })
        })
    }

    /// Whether a cookie could be handed out anywhere.
    #[must_use]
    pub fn may_serve_cookies(&self) -> bool {
        self.listeners.iter().any(Listener::may_serve_cookies)
    }
}

fn path(
    top: &mut Table<'_>,
    table: &'static str,
    key: &'static str,
    default: PathBuf,
    base: &Path,
) -> Result<PathBuf, Reported> {
    let path = top.table(table).optional::<PathBuf>(key)?;
    Ok(path.map_or(default, |path| base.join(path.value)))
}

impl LoginLimits {
    fn take(mut table: Table<'_>) -> Self {
        let default = Self::default();
        // Short times are for tests.
        let times = Duration::from_millis(10)..=HOUR;
        Self {
            message_size: table.within_or(
                "message_size",
                default.message_size,
                Octets::kib(1)..=Octets::mib(1),
            ),
            // A HELLO with the features of its roles has five levels.
            nesting: table.within_or("nesting", default.nesting, 6..=64),
            hello: table.within_or("hello", default.hello, times.clone()),
            round: table.within_or("round", default.round, times.clone()),
            total: table.within_or("total", default.total, times),
            rounds: table.within_or("rounds", default.rounds, 1..=100),
            waiting: table.within_or("waiting", default.waiting, 1..=1_000_000),
        }
    }
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            message_size: Octets::kib(16),
            nesting: 16,
            hello: Duration::from_secs(5),
            round: Duration::from_mins(1),
            total: Duration::from_mins(2),
            rounds: 8,
            waiting: 10_000,
        }
    }
}

impl SessionLimits {
    fn take(mut table: Table<'_>) -> Self {
        let default = Self::default();
        let sizes = Octets::kib(1)..=Octets::mib(1024);
        let taken = Self {
            message_size: table.within_or("message_size", default.message_size, sizes.clone()),
            queue: table.within_or("queue", default.queue, sizes),
            ping: table.within_or("ping", default.ping, Duration::from_millis(100)..=HOUR),
        };
        if taken.queue < taken.message_size {
            table.problems.report(table.at, || {
                let Self {
                    message_size,
                    queue,
                    ..
                } = taken;
                format!(
                    "\"queue\" ({queue}) is less than \"message_size\" ({message_size}), so a \
                     large message would end its receiver's session; write queue = \
                     \"{message_size}\" or more"
                )
            });
        }
        taken
    }
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            message_size: Octets::mib(16),
            queue: Octets::mib(16),
            ping: Duration::from_secs(30),
        }
    }
}

impl PasswordLimits {
    fn take(mut table: Table<'_>) -> Self {
        let parallel = table.within("parallel", 1..=1024u32).ok().flatten();
        let sizes = Octets::mib(1)..=Octets::mib(1 << 20);
        let memory = table.within("memory", sizes).ok().flatten();
        Self {
            parallel: parallel
                .and_then(|found| usize::try_from(found.value).ok())
                .and_then(NonZeroUsize::new),
            queue: table.within_or("queue", Self::default().queue, 1..=1_000_000),
            wait: table.within_or(
                "wait",
                Self::default().wait,
                Duration::from_millis(10)..=Duration::from_mins(1),
            ),
            memory: memory.map(|found| found.value),
        }
    }

    /// How many are checked at one time: where the file does not say, one less than there are
    /// cores, so that logins by other methods go on; at least one.
    #[must_use]
    pub fn threads(&self) -> NonZeroUsize {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.parallel
            .or_else(|| NonZeroUsize::new(cores - 1))
            .unwrap_or(NonZeroUsize::MIN)
    }
}

impl Default for PasswordLimits {
    fn default() -> Self {
        Self {
            parallel: None,
            queue: 256,
            wait: Duration::from_secs(5),
            memory: None,
        }
    }
}
