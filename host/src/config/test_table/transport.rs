//! `[attempt.transport]`: the connection that an attempt comes over.

use super::{
    super::{
        document::{Reported, Table, values},
        scalar::Word,
    },
    text::{Base64, Hex32, Text},
};

/// What the host knows of a connection.
#[derive(Clone, Debug, Default)]
pub struct TestTransport {
    pub peer: Option<String>,
    pub line: Line,
    /// In DER.
    pub certificates: Vec<Vec<u8>>,
    pub channel_binding: Option<[u8; 32]>,
    pub local: Option<TestLocalPeer>,
}

/// Whether somebody between client and router could read along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    #[default]
    Confidential,
    Clear,
}

/// A process at the other end of a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestLocalPeer {
    pub uid: u32,
    pub gid: u32,
    pub pid: Option<u32>,
}

impl TestTransport {
    pub(super) fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let peer = table.optional::<Text>("peer");
        let line = table.optional::<Line>("line");
        let certificates = table.list::<Base64>("certificates");
        let channel_binding = table.optional::<Hex32>("channel_binding");
        let local = match table.optional_table("local") {
            Ok(local) => local.map(TestLocalPeer::take).transpose(),
            Err(reported) => Err(reported),
        };
        Ok(Self {
            peer: peer?.map(|found| found.value.0),
            line: line?.map(|found| found.value).unwrap_or_default(),
            certificates: values(certificates?.unwrap_or_default())
                .map(|certificate| certificate.0)
                .collect(),
            channel_binding: channel_binding?.map(|found| found.value.0),
            local: local?,
        })
    }
}

impl TestLocalPeer {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let [uid, gid] = ["uid", "gid"].map(|key| table.required::<u32>(key));
        let pid = table.optional::<u32>("pid");
        Ok(Self {
            uid: uid?.value,
            gid: gid?.value,
            pid: pid?.map(|found| found.value),
        })
    }
}

impl Word for Line {
    const FORM: &'static str = r#""confidential" or "clear""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("confidential", Self::Confidential), ("clear", Self::Clear)];
}
