//! `realms/NAME.toml`: what a tenant decides for its realm.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use super::{
    document::{self, Placed, Problems, Reported, Table, all},
    error::{self, ConfigError},
    key_set::KeySetPlace,
    limits::{Ceilings, RealmLimits},
    login::{self, Login, Step, When},
    method::{Cleartext, MethodConfig},
    name::{KeySetName, RealmName, RoleName, StepName},
    permission::Permission,
    procedures::Authenticates,
    role::{self, Assurance},
    scalar::{Quantity, Scalar, nearest, quoted, suggestion},
};

/// A realm's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The stem of the file's name.
    pub name: RealmName,
    /// The roles that a session can have. At least one.
    pub roles: BTreeSet<RoleName>,
    /// What a login must have passed to get a role: for those that require something.
    pub assurance: Assurance,
    /// How long a session may last. None: as long as the method allows.
    pub longest_session: Option<Duration>,
    /// Whether anybody may log in where others could read along.
    pub cleartext: Cleartext,
    /// What it may take of the router.
    pub limits: RealmLimits,
    /// What browsers get that ask to be remembered. None: nobody is.
    pub cookie: Option<CookieTerms>,
    /// The ways in, in the realm's order. With none, nobody can log in.
    pub logins: Vec<Login>,
    /// One for every step of `logins`, and no other.
    pub methods: BTreeMap<StepName, MethodConfig>,
    /// Keys of others that the realm trusts.
    pub key_sets: BTreeMap<KeySetName, KeySetPlace>,
    /// What is not allowed here is forbidden. No two have the same role and pattern.
    pub permissions: Vec<Permission>,
    /// Which other realms may have their clients authenticated here. No two name the same.
    pub authenticates: Vec<Authenticates>,
}

/// `[cookie]`: how long a browser is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieTerms {
    /// From one login to the next.
    pub lifetime: Duration,
    /// From the login by another method on. At least `lifetime`.
    pub longest: Duration,
}

impl Realm {
    /// Reads the file, whose stem is the realm's name.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong; then all that is wrong is told.
    pub fn read(path: &Path, ceilings: &Ceilings) -> Result<Self, ConfigError> {
        let advice = "a realm needs a file NAME.toml in the realms directory";
        Self::parse(&error::read(path, advice)?, path, ceilings)
    }

    /// The configuration in `text`. `file` is not opened: its stem is the realm's name, and the
    /// errors name it.
    ///
    /// # Errors
    ///
    /// Something in the text is wrong: [`ConfigError::Wrong`], with all that is.
    pub fn parse(text: &str, file: &Path, ceilings: &Ceilings) -> Result<Self, ConfigError> {
        document::parse(text, file, |mut top| {
            let name = name(file, top.problems);
            let written = role::take(&mut top);
            let longest_session = top.within(
                "longest_session",
                Duration::from_secs(1)..=Duration::from_hours(24 * 3650),
            );
            let cleartext = top.optional::<Cleartext>("cleartext");
            let limits = RealmLimits::take(top.table("limits"), ceilings);
            let logins = login::take_all(&mut top);
            let cookie = cookie(&mut top, logins.as_deref().unwrap_or_default());
            let roles = written
                .as_ref()
                .map(|roles| role::names(roles))
                .map_err(|reported| *reported);
            // What a role requires is a problem only where the logins are known.
            let assurance = written.and_then(|written| {
                let logins = logins.as_ref().map_err(|reported| *reported)?;
                role::assurance(written, logins, top.problems)
            });
            // An unknown role is a problem only where the roles are known.
            let known_roles = roles.as_ref().ok();
            let methods = methods(&mut top, logins.as_deref().ok(), known_roles, ceilings);
            let methods = match (&name, &logins, methods) {
                (Ok(name), Ok(logins), Ok(methods)) => {
                    leave_a_way_in(&top, name, logins, &methods).map(|()| methods)
                }
                (_, _, methods) => methods,
            };
            let key_sets = key_sets(&mut top, file.parent().unwrap_or(Path::new("")));
            let permissions = permissions(&mut top, known_roles);
            let authenticates = authenticates(&mut top, name.as_ref().ok());
            Ok(Self {
                name: name?,
                roles: roles?,
                assurance: assurance?,
                longest_session: longest_session?.map(|found| found.value),
                limits,
                cookie: cookie?,
                cleartext: cleartext?.map_or(Cleartext::Allow, |found| found.value),
                logins: logins?,
                methods: methods?,
                key_sets: key_sets?,
                permissions: permissions?,
                authenticates: authenticates?,
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

/// There where the file says so, or where a login has a step of this name.
fn cookie(top: &mut Table<'_>, logins: &[Login]) -> Result<Option<CookieTerms>, Reported> {
    let is_step = |login: &Login| login.names().any(|name| name.as_str() == "cookie");
    let Some(mut table) = top.optional_table("cookie")? else {
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
    ceilings: &Ceilings,
) -> Result<BTreeMap<StepName, MethodConfig>, Reported> {
    let steps: BTreeSet<&StepName> = logins
        .into_iter()
        .flatten()
        .flat_map(Login::names)
        .collect();
    let problems = top.problems;
    let tables = top.named_tables::<StepName>("method").into_iter();
    let mut methods: BTreeMap<_, _> = all(tables.map(|(Placed { at, value: step }, table)| {
        let method = MethodConfig::take(table, &step, roles, ceilings);
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
            .or_insert_with(|| MethodConfig::for_step(step, ceilings));
    }
    Ok(methods)
}

fn key_sets(
    top: &mut Table<'_>,
    directory: &Path,
) -> Result<BTreeMap<KeySetName, KeySetPlace>, Reported> {
    let tables = top.named_tables::<KeySetName>("key_set").into_iter();
    all(tables.map(|(name, table)| Ok((name.value, KeySetPlace::take(table, directory)?))))
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

/// A callee must log in before it can be asked. Where each way into its realm asks a callee there,
/// nobody can be the first.
fn leave_a_way_in(
    top: &Table<'_>,
    name: &RealmName,
    logins: &[Login],
    methods: &BTreeMap<StepName, MethodConfig>,
) -> Result<(), Reported> {
    let asks_here = |step: &Step| {
        let procedures = methods
            .get(&step.name)
            .and_then(|method| method.procedures.as_ref());
        // A step that some pass by stands in nobody's way for ever.
        step.when == When::Always && procedures.is_some_and(|procedures| procedures.realm == *name)
    };
    if logins.is_empty() || !logins.iter().all(|login| login.steps.iter().any(asks_here)) {
        return Ok(());
    }
    Err(top.problems.report(top.at, || {
        "every [[login]] asks a procedure in this realm itself, so nobody who could answer can log \
         in; add a [[login]] for the callee, or put the callee into another realm"
            .to_owned()
    }))
}

fn authenticates(
    top: &mut Table<'_>,
    name: Option<&RealmName>,
) -> Result<Vec<Authenticates>, Reported> {
    let problems = top.problems;
    let mut seen = BTreeSet::new();
    all(top.tables("authenticates")?.into_iter().map(|table| {
        let at = table.at;
        let authenticates = Authenticates::take(table, name)?;
        if seen.insert(authenticates.realm.clone()) {
            return Ok(authenticates);
        }
        Err(problems.report(at, || {
            "an earlier [[authenticates]] has the same realm; make them one".to_owned()
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
