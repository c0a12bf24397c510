//! `realms/NAME.toml`: what a tenant decides for its realm.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use super::{
    document::{self, Placed, Problems, Reported, Table, all, values},
    error::{self, ConfigError},
    method::MethodConfig,
    name::{RealmName, RoleName, StepName},
    permission::Permission,
    scalar::{Quantity, Scalar, nearest, quoted, suggestion},
};

/// More is a mistake, and each is tried in turn while a client waits.
const MOST_LOGINS: usize = 64;
const MOST_STEPS: usize = 8;
const MOST_ROLES: usize = 256;

/// A realm's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The stem of the file's name.
    pub name: RealmName,
    /// The roles that a session can have. At least one.
    pub roles: BTreeSet<RoleName>,
    /// How long a session may last. None: as long as the method allows.
    pub longest_session: Option<Duration>,
    /// What browsers get that ask to be remembered. None: nobody is.
    pub cookie: Option<CookieTerms>,
    /// The ways in, in the realm's order. With none, nobody can log in.
    pub logins: Vec<Login>,
    /// One for every step of `logins`, and no other.
    pub methods: BTreeMap<StepName, MethodConfig>,
    /// What is not allowed here is forbidden. No two have the same role and pattern.
    pub permissions: Vec<Permission>,
}

/// `[cookie]`: how long a browser is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieTerms {
    /// From one login to the next.
    pub lifetime: Duration,
    /// From the login by another method on. At least `lifetime`.
    pub longest: Duration,
}

/// One way into a realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// All of them must be passed, in this order. Never empty, each different.
    pub steps: Vec<StepName>,
}

impl Realm {
    /// Reads the file, whose stem is the realm's name.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong; then all that is wrong is told.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let advice = "a realm needs a file NAME.toml in the realms directory";
        Self::parse(&error::read(path, advice)?, path)
    }

    /// The configuration in `text`. `file` is not opened: its stem is the realm's name, and the
    /// errors name it.
    ///
    /// # Errors
    ///
    /// Something in the text is wrong: [`ConfigError::Wrong`], with all that is.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        document::parse(text, file, |mut top| {
            let name = name(file, top.problems);
            let roles = roles(&mut top);
            let longest_session = top.within(
                "longest_session",
                Duration::from_secs(1)..=Duration::from_hours(24 * 3650),
            );
            let logins = logins(&mut top);
            let cookie = cookie(&mut top, logins.as_deref().unwrap_or_default());
            // An unknown role is a problem only where the roles are known.
            let known_roles = roles.as_ref().ok();
            let methods = methods(&mut top, logins.as_deref().ok(), known_roles);
            let permissions = permissions(&mut top, known_roles);
            Ok(Self {
                name: name?,
                roles: roles?,
                longest_session: longest_session?.map(|found| found.value),
                cookie: cookie?,
                logins: logins?,
                methods: methods?,
                permissions: permissions?,
            })
        })
    }
}

fn name(file: &Path, problems: &Problems) -> Result<RealmName, Reported> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    RealmName::new(&stem).ok_or_else(|| {
        problems.report(0, || {
            format!(
                "the file's name makes the realm {}; rename it: a realm must be {}",
                quoted(&stem),
                RealmName::FORM
            )
        })
    })
}

fn roles(top: &mut Table<'_>) -> Result<BTreeSet<RoleName>, Reported> {
    let roles = top.required_list::<RoleName>("roles")?;
    match roles.value.len() {
        0 => Err(top.problems.report(roles.at, || {
            "\"roles\" is empty; list the roles that a session can have, such as \"user\"".into()
        })),
        1..=MOST_ROLES => Ok(values(roles.value).collect()),
        count => Err(top.problems.report(roles.at, || {
            format!("\"roles\" has {count} items; use at most {MOST_ROLES}")
        })),
    }
}

fn logins(top: &mut Table<'_>) -> Result<Vec<Login>, Reported> {
    let mut seen = BTreeSet::new();
    let logins: Vec<Login> = all(top.tables("login")?.into_iter().map(|mut table| {
        let login = login(&mut table)?;
        if seen.insert(login.clone()) {
            return Ok(login);
        }
        Err(table.problems.report(table.at, || {
            "an earlier [[login]] has the same steps; remove one".to_owned()
        }))
    }))?;
    if logins.len() > MOST_LOGINS {
        return Err(top.problems.report(top.at, || {
            format!(
                "[[login]] is there {} times; use at most {MOST_LOGINS}",
                logins.len()
            )
        }));
    }
    Ok(logins)
}

fn login(table: &mut Table<'_>) -> Result<Login, Reported> {
    let steps = table.required_list::<StepName>("steps")?;
    match steps.value.len() {
        0 => Err(table.problems.report(steps.at, || {
            "\"steps\" is empty, which would let everyone in; name at least one method".to_owned()
        })),
        1..=MOST_STEPS => Ok(Login {
            steps: values(steps.value).collect(),
        }),
        count => Err(table.problems.report(steps.at, || {
            format!("\"steps\" has {count} items; use at most {MOST_STEPS}")
        })),
    }
}

/// There where the file says so, or where a login has a step of this name.
fn cookie(top: &mut Table<'_>, logins: &[Login]) -> Result<Option<CookieTerms>, Reported> {
    let is_step = |login: &Login| login.steps.iter().any(|step| step.as_str() == "cookie");
    let Some(mut table) = top.optional_table("cookie") else {
        let default = CookieTerms::default();
        return Ok(logins.iter().any(is_step).then_some(default));
    };
    let default = CookieTerms::default();
    // Browsers keep no cookie for longer than 400 days.
    let times = Duration::from_mins(1)..=Duration::from_hours(24 * 400);
    let lifetime = table.within_or("lifetime", default.lifetime, times.clone());
    let longest = table.within_or("longest", default.longest.max(lifetime), times);
    if longest < lifetime {
        return Err(table.problems.report(table.at, || {
            let lifetime = Duration::written(&lifetime);
            format!(
                "\"longest\" is less than \"lifetime\", which could never be reached; write \
                 longest = {lifetime} or more"
            )
        }));
    }
    Ok(Some(CookieTerms { lifetime, longest }))
}

impl Default for CookieTerms {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_hours(24 * 7),
            longest: Duration::from_hours(24 * 30),
        }
    }
}

/// `logins` and `roles` are none where they are wrong themselves.
fn methods(
    top: &mut Table<'_>,
    logins: Option<&[Login]>,
    roles: Option<&BTreeSet<RoleName>>,
) -> Result<BTreeMap<StepName, MethodConfig>, Reported> {
    let steps: BTreeSet<&StepName> = logins
        .into_iter()
        .flatten()
        .flat_map(|login| &login.steps)
        .collect();
    let problems = top.problems;
    let tables = top.named_tables::<StepName>("method").into_iter();
    let mut methods: BTreeMap<_, _> = all(tables.map(|(Placed { at, value: step }, table)| {
        let method = MethodConfig::take(table, &step, roles);
        if logins.is_some() && !steps.contains(&step) {
            return Err(problems.report(at, || {
                let steps = steps.iter().map(|step| step.as_str());
                let advice = match nearest(step.as_str(), steps) {
                    Some(nearest) => format!("did you mean [method.{nearest}]?"),
                    None => "remove the table, or add the step".to_owned(),
                };
                format!("no [[login]] has the step \"{step}\"; {advice}")
            }));
        }
        Ok((step, method?))
    }))?;
    for step in steps {
        methods
            .entry(step.clone())
            .or_insert_with(|| MethodConfig::for_step(step));
    }
    Ok(methods)
}

fn permissions(
    top: &mut Table<'_>,
    roles: Option<&BTreeSet<RoleName>>,
) -> Result<Vec<Permission>, Reported> {
    let problems = top.problems;
    let mut seen = BTreeSet::new();
    all(top.tables("permission")?.into_iter().map(|table| {
        let at = table.at;
        let permission = Permission::take(table, roles)?;
        if seen.insert((permission.role.clone(), permission.pattern.clone())) {
            return Ok(permission);
        }
        Err(problems.report(at, || {
            "an earlier [[permission]] has the same role, uri and match; make them one".to_owned()
        }))
    }))
}

/// Reports a role that is not one of the realm's, where these are known.
pub(super) fn check_role(
    at: usize,
    role: &str,
    roles: Option<&BTreeSet<RoleName>>,
    problems: &Problems,
) -> Result<(), Reported> {
    let Some(roles) = roles else { return Ok(()) };
    if roles.contains(role) {
        return Ok(());
    }
    Err(problems.report(at, || {
        let advice = suggestion(role, || roles.iter().map(RoleName::as_str));
        format!("{} is not one of \"roles\"; {advice}", quoted(role))
    }))
}
