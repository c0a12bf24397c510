//! `[[attempt]]`: one login, and what must come of it.

use super::{
    super::{
        document::{Reported, Table, all, values},
        name::{RoleName, StepName},
        scalar::Word,
        settings::Settings,
    },
    text::{Count, Hex32, Template, Text},
    transport::TestTransport,
};

/// One login.
#[derive(Clone, Debug)]
pub struct TestAttempt {
    /// What it shows, for the report.
    pub name: String,
    pub authid: Option<String>,
    /// HELLO.Details.authextra.
    pub authextra: Settings,
    pub transport: TestTransport,
    /// What earlier steps have established.
    pub proven: Vec<TestProof>,
    /// Those of the calls, in their order. Where there are none left, the nth call has 32 times the
    /// octet n.
    pub nonces: Vec<[u8; 32]>,
    pub rounds: Vec<TestRound>,
    pub verdict: ExpectedVerdict,
}

/// A step that the login has passed.
#[derive(Clone, Debug)]
pub struct TestProof {
    pub step: StepName,
    pub authid: String,
    pub role: RoleName,
}

/// A challenge, and the answer to it.
#[derive(Clone, Debug)]
pub struct TestRound {
    /// Members that CHALLENGE.Extra must have. It may have more.
    pub challenge: Settings,
    /// AUTHENTICATE.Signature.
    pub answer: Template,
    /// AUTHENTICATE.Extra.
    pub extra: Settings,
}

/// What the method must say in the end.
#[derive(Clone, Debug)]
pub enum ExpectedVerdict {
    /// With these members of CHALLENGE.Extra. It is not answered.
    Challenge(Settings),
    Accept(ExpectedIdentity),
    Deny {
        /// What must be among its words to the operator.
        says: Option<String>,
    },
    NotMine,
    Fault {
        /// As the log calls it. None: any.
        fault: Option<String>,
        says: Option<String>,
    },
}

/// What is left out may be anything.
#[derive(Clone, Debug, Default)]
pub struct ExpectedIdentity {
    pub authid: Option<String>,
    pub role: Option<RoleName>,
    pub authprovider: Option<String>,
    /// Members that it must have.
    pub authextra: Settings,
    /// In milliseconds since the Unix epoch.
    pub expires_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VerdictName {
    Challenge,
    Accept,
    Deny,
    NotMine,
    Fault,
}

impl TestAttempt {
    pub(super) fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let name = table.required::<Text>("name");
        let authid = table.optional::<Text>("authid");
        let authextra = take_object(&mut table, "authextra");
        let transport = TestTransport::take(table.table("transport"));
        let proven = table.tables("proven")?.into_iter();
        let proven = all(proven.map(TestProof::take));
        let nonces = table.list::<Hex32>("nonces");
        let rounds = table.tables("round")?.into_iter();
        let rounds = all(rounds.map(TestRound::take));
        let verdict = ExpectedVerdict::take(&mut table);
        Ok(Self {
            name: name?.value.0,
            authid: authid?.map(|found| found.value.0),
            authextra: authextra?,
            transport: transport?,
            proven: proven?,
            nonces: values(nonces?.unwrap_or_default())
                .map(|nonce| nonce.0)
                .collect(),
            rounds: rounds?,
            verdict: verdict?,
        })
    }
}

impl TestProof {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let step = table.required::<StepName>("step");
        let authid = table.required::<Text>("authid");
        let role = table.required::<RoleName>("role");
        Ok(Self {
            step: step?.value,
            authid: authid?.value.0,
            role: role?.value,
        })
    }
}

impl TestRound {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let challenge = take_object(&mut table, "challenge");
        let answer = Template::take(&mut table, "answer");
        let extra = take_object(&mut table, "extra");
        Ok(Self {
            challenge: challenge?,
            answer: answer?,
            extra: extra?,
        })
    }
}

impl ExpectedVerdict {
    /// The keys beside `verdict` belong to it, so that one which does not is unknown.
    fn take(table: &mut Table<'_>) -> Result<Self, Reported> {
        let says = |table: &mut Table<'_>| {
            let says = table.optional::<Text>("says")?;
            Ok(says.map(|found| found.value.0))
        };
        let verdict = match table.required::<VerdictName>("verdict") {
            Ok(verdict) => verdict.value,
            Err(reported) => {
                table.forgive();
                return Err(reported);
            }
        };
        Ok(match verdict {
            VerdictName::Challenge => Self::Challenge(take_object(table, "challenge")?),
            VerdictName::Accept => Self::Accept(ExpectedIdentity::take(table.table("identity"))?),
            VerdictName::Deny => Self::Deny { says: says(table)? },
            VerdictName::NotMine => Self::NotMine,
            VerdictName::Fault => {
                let fault = table.optional::<Text>("fault");
                let says = says(table);
                Self::Fault {
                    fault: fault?.map(|found| found.value.0),
                    says: says?,
                }
            }
        })
    }
}

impl ExpectedIdentity {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let authid = table.optional::<Text>("authid");
        let role = table.optional::<RoleName>("role");
        let authprovider = table.optional::<Text>("authprovider");
        let authextra = take_object(&mut table, "authextra");
        let expires_at = table.optional::<Count>("expires_at");
        Ok(Self {
            authid: authid?.map(|found| found.value.0),
            role: role?.map(|found| found.value),
            authprovider: authprovider?.map(|found| found.value.0),
            authextra: authextra?,
            expires_at: expires_at?.map(|found| found.value.0),
        })
    }
}

fn take_object(table: &mut Table<'_>, key: &'static str) -> Result<Settings, Reported> {
    let object = table.opaque(key);
    Settings::read(object, table.problems)
}

impl Word for VerdictName {
    const FORM: &'static str = r#"one of "challenge", "accept", "deny", "not-mine", "fault""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("challenge", Self::Challenge),
        ("accept", Self::Accept),
        ("deny", Self::Deny),
        ("not-mine", Self::NotMine),
        ("fault", Self::Fault),
    ];
}
