use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{
    Report, realm_name, scram::ScramArgs, store_authid, totp::TotpArgs, webauthn::WebauthnArgs,
};
use crate::{
    command::secret::{Prompt, Secret},
    config::{Operator, Realm, RealmName, RoleName},
    credential::{
        self, Enrolment, Existing, Kind, Sqlite, Store, StoreError,
        enrol::{self, Derivation},
        scram::Kdf,
    },
    login::Authid,
};

/// The most lines of public keys that are read; a credential takes fewer.
const MOST_LINES: usize = 1000;

/// The most roles that an error lists.
const MOST_ROLES: usize = 20;

#[derive(Debug, Args)]
#[command(
    about = "Add a credential, or replace one",
    after_help = "The secret of a ticket, wampcra or scram credential is asked for at the terminal, or \
                  read as one line from standard input. Public keys for cryptosign are given by \
                  --public-key, or read from standard input, one a line. For totp a seed is made, \
                  and shown once for the person's app, together with recovery codes. For webauthn a \
                  code is made, with which the person adds one passkey."
)]
pub(super) struct AddArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// What the credential is for
    #[arg(value_name = "KIND", value_enum)]
    kind: KindName,

    /// Whom it belongs to
    #[arg(value_parser = Authid::parse)]
    authid: Authid,

    /// The role that they have, one of the realm's
    #[arg(long)]
    role: String,

    /// Replace the credential of this kind that they have already
    #[arg(long)]
    replace: bool,

    /// For wampcra: keep the secret itself, for clients that cannot derive a key from it
    #[arg(long, conflicts_with = "iterations")]
    plain: bool,

    /// For wampcra and scram: how often the client repeats its derivation [default: 10000; for
    /// scram 3 with argon2id13 and 600000 with pbkdf2]
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(Kdf::MOST_PBKDF2)))]
    iterations: Option<u32>,

    /// For cryptosign: an Ed25519 public key, 64 hex digits; may be repeated
    #[arg(long = "public-key", value_name = "HEX")]
    public_keys: Vec<String>,

    #[command(flatten)]
    totp: TotpArgs,

    #[command(flatten)]
    scram: ScramArgs,

    #[command(flatten)]
    webauthn: WebauthnArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// A password
    Ticket,
    /// A secret that the client proves to know
    Wampcra,
    /// Public keys
    Cryptosign,
    /// The codes that an app shows, for a second step
    Totp,
    /// A password that the client proves to know, and that is kept so that nobody can log in with it
    Scram,
    /// Passkeys, each by a code that lets the person add it
    Webauthn,
}

impl KindName {
    /// Completes "alice can … realm acme".
    const fn purpose(self) -> &'static str {
        match self {
            Self::Ticket | Self::Wampcra | Self::Cryptosign | Self::Scram | Self::Webauthn => {
                "log in to"
            }
            Self::Totp => "confirm a login to",
        }
    }
}

/// What was made, before it is kept.
pub(super) struct Made {
    pub(super) enrolment: Enrolment,
    /// What the person must be given, whole lines.
    pub(super) secret: Option<Secret>,
}

impl From<Enrolment> for Made {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            enrolment,
            secret: None,
        }
    }
}

pub(super) fn add(args: &AddArgs, operator: &Operator, prompt: &Prompt) -> anyhow::Result<Report> {
    args.check_options()?;
    args.check_role(operator)?;
    let store = Sqlite::open(&operator.credentials)?;
    let AddArgs {
        realm,
        authid,
        role,
        ..
    } = args;
    if args.kind == KindName::Webauthn {
        return args
            .webauthn
            .invite(realm, authid, role, args.replace, &store);
    }
    let (in_realm, kind) = (
        credential::Realm::from(realm.as_str()),
        Kind::from(args.kind),
    );
    // Before anybody types a secret in vain.
    if !args.replace {
        match store.find(&in_realm, &kind, &store_authid(authid)) {
            Ok(None) => {}
            Ok(Some(_)) | Err(StoreError::Damaged { .. }) => return Err(args.exists()),
            Err(error) => return Err(error.into()),
        }
    }
    let Made { enrolment, secret } = args.enrol(prompt)?;
    let warning = odd_parameters(args.kind, &store, &in_realm, authid, &enrolment)?;
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let added = store.add(
        &in_realm,
        &store_authid(authid),
        &role.as_str().into(),
        &enrolment,
        existing,
    );
    match added {
        Ok(_) => {}
        Err(StoreError::Exists { .. }) => return Err(args.exists()),
        Err(error) => return Err(error.into()),
    }
    Ok(Report {
        remark: warning.map(|warning| format!("warning: {warning}")),
        result: format!(
            "{authid} can {} realm {realm} by {kind}, with the role {role}\n",
            args.kind.purpose()
        ),
        secret,
        status: 0,
    })
}

impl AddArgs {
    fn check_options(&self) -> anyhow::Result<()> {
        if self.kind != KindName::Wampcra && self.plain {
            bail!("--plain is for wampcra only; leave it out");
        }
        let derives = matches!(self.kind, KindName::Wampcra | KindName::Scram);
        if !derives && self.iterations.is_some() {
            bail!("--iterations is for wampcra and scram only; leave it out");
        }
        if self.kind != KindName::Scram && self.scram.is_used() {
            bail!("--kdf and --memory are for scram only; leave them out");
        }
        if self.kind != KindName::Cryptosign && !self.public_keys.is_empty() {
            bail!("--public-key is for cryptosign only; leave it out");
        }
        if self.kind != KindName::Webauthn && self.webauthn.is_used() {
            bail!("--valid is for webauthn only; leave it out");
        }
        if self.kind != KindName::Totp && self.totp.is_used() {
            bail!(
                "--algorithm, --digits, --period, --recovery and --import are for totp only; leave \
                 them out"
            );
        }
        Ok(())
    }

    fn check_role(&self, operator: &Operator) -> anyhow::Result<()> {
        let Self { realm, role, .. } = self;
        let file = operator.realms.join(format!("{realm}.toml"));
        let configured = Realm::read(&file, &operator.ceilings)?;
        if configured.name != *realm {
            bail!("{}: not the file of a realm named {realm}", file.display());
        }
        if configured.roles.contains(role.as_str()) {
            return Ok(());
        }
        let roles = || configured.roles.iter().map(RoleName::as_str);
        let advice = match nearest(role, roles()) {
            Some(nearest) => format!("did you mean {nearest:?}? "),
            None => String::new(),
        };
        let mut known: Vec<String> = roles()
            .take(MOST_ROLES)
            .map(|role| format!("{role:?}"))
            .collect();
        if roles().nth(MOST_ROLES).is_some() {
            known.push("…".to_owned());
        }
        bail!(
            "{role:?} is not a role of realm {realm}; {advice}Its roles are {} ({})",
            known.join(", "),
            file.display()
        )
    }

    fn exists(&self) -> anyhow::Error {
        let Self { realm, authid, .. } = self;
        let kind = Kind::from(self.kind);
        anyhow::anyhow!(
            "{authid} has a {kind} credential in realm {realm} already; --replace replaces it"
        )
    }

    /// Asks for the secret, or makes one, and makes a credential of it.
    fn enrol(&self, prompt: &Prompt) -> anyhow::Result<Made> {
        let authid = &self.authid;
        let enrolment = match self.kind {
            KindName::Ticket => {
                let password = prompt.ask_new(&format!("Password for {authid}:"))?;
                enrol::ticket(password.expose())
            }
            KindName::Wampcra => {
                let derivation = self.derivation()?;
                let secret = prompt.ask_new(&format!("Secret for {authid}:"))?;
                enrol::wampcra(secret.expose(), &derivation)
            }
            KindName::Cryptosign if self.public_keys.is_empty() => {
                let question = format!("Public key of {authid}, 64 hex digits:");
                enrol::cryptosign(&prompt.ask_openly(&question, MOST_LINES)?)
            }
            KindName::Cryptosign => enrol::cryptosign(&self.public_keys),
            KindName::Totp => return self.totp.enrol(&self.realm, authid, prompt),
            KindName::Scram => return self.scram.enrol(authid, self.iterations, prompt),
            KindName::Webauthn => bail!("a passkey is made by its owner, not here"),
        };
        let enrolment = enrolment
            .with_context(|| format!("{authid} got no {} credential", Kind::from(self.kind)))?;
        Ok(enrolment.into())
    }

    fn derivation(&self) -> anyhow::Result<Derivation> {
        if self.plain {
            return Ok(Derivation::Plain);
        }
        let mut derivation = Derivation::fresh()?;
        if let (Derivation::Salted { iterations, .. }, Some(wanted)) =
            (&mut derivation, self.iterations)
        {
            *iterations = wanted;
        }
        Ok(derivation)
    }
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Ticket => Self::ticket(),
            KindName::Wampcra => Self::wampcra(),
            KindName::Cryptosign => Self::cryptosign(),
            KindName::Totp => Self::totp(),
            KindName::Scram => Self::scram(),
            KindName::Webauthn => Self::webauthn(),
        }
    }
}

/// Says so if a client could tell real credentials from decoys by their parameters: decoys have
/// those of the realm's oldest credential.
fn odd_parameters(
    name: KindName,
    store: &Sqlite,
    realm: &credential::Realm,
    authid: &Authid,
    enrolment: &Enrolment,
) -> anyhow::Result<Option<String>> {
    let options = match name {
        KindName::Wampcra => "--iterations or --plain",
        KindName::Totp => "--algorithm, --digits and --period",
        KindName::Scram => "--kdf, --iterations and --memory",
        KindName::Ticket | KindName::Cryptosign | KindName::Webauthn => return Ok(None),
    };
    let kind = &enrolment.kind;
    let oldest = match store.oldest(realm, kind) {
        Ok(Some(oldest)) => oldest,
        // Then it is up to the router to complain of it.
        Ok(None) | Err(StoreError::Damaged { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (its, ours) = (
        shape(oldest.parameters.as_str()),
        shape(enrolment.parameters.as_str()),
    );
    if its == ours {
        return Ok(None);
    }
    let other = &oldest.authid;
    if other.as_str() != authid.as_str() {
        return Ok(Some(format!(
            "{authid} has {ours}, and {other}, the oldest {kind} credential of realm {realm}, has \
             {its}. Whoever asks can tell by the difference that {authid} exists. Give all of them \
             the same: --replace, with the same {options}"
        )));
    }
    let others = store
        .list(realm)?
        .iter()
        .any(|it| it.kind == *kind && it.authid != *other);
    Ok(others.then(|| {
        format!(
            "{authid} has the oldest {kind} credential of realm {realm}, and now {ours} instead of \
             {its}. Whoever asks can tell that those with other parameters exist. Give all of them \
             the same: --replace, with the same {options}"
        )
    }))
}

/// Parameters without what differs from one credential to the next, for people.
fn shape(parameters: &str) -> String {
    // The text is always a JSON object.
    let mut members: Map<String, Value> = serde_json::from_str(parameters).unwrap_or_default();
    let salted = members.remove("salt").is_some();
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    match (salted, members.join(", ")) {
        (true, members) => format!("a salt with {members}"),
        (false, members) if members.is_empty() => "a plain secret".to_owned(),
        (false, members) => members,
    }
}

/// The known word that is the fewest typing errors away, if those are few.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + word.chars().count() / 4;
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(errors, _)| *errors <= most)
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, candidate)| candidate)
}
