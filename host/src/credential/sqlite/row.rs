//! How a record is written.

use rusqlite::Row;
use zeroize::Zeroizing;

use super::{from_unix_ms, unix_ms};
use crate::credential::store::StoreError;
use crate::credential::{
    Authid, Authrole, EnrolledKey, Key, Kind, Lock, Material, Parameters, PublicKey, Realm, Record,
    ScramKeys, Tally, Validity,
};

/// The secret part of a record: what it is, and its octets.
pub(super) struct StoredMaterial {
    /// `password`: the octets are a PHC string. `key`: a key. `public-keys`: keys of 32 octets, one
    /// behind the other. `scram`: four keys of 32 octets; see [`ScramKeys`]. `enrolled-keys`: none,
    /// since each has a row in a table of its own.
    pub(super) name: String,
    pub(super) octets: Zeroizing<Vec<u8>>,
}

/// The name of material that has rows of its own.
const ENROLLED_KEYS: &str = "enrolled-keys";

impl From<&Material> for StoredMaterial {
    fn from(material: &Material) -> Self {
        let (name, octets) = match material {
            Material::Password(hash) => ("password", hash.to_phc().as_bytes().to_vec()),
            Material::Key(key) => ("key", key.octets().to_vec()),
            Material::PublicKeys(keys) => (
                "public-keys",
                keys.iter().flat_map(PublicKey::octets).copied().collect(),
            ),
            Material::Scram(keys) => ("scram", keys.octets().to_vec()),
            Material::EnrolledKeys(_) => (ENROLLED_KEYS, Vec::new()),
        };
        Self {
            name: name.to_owned(),
            octets: Zeroizing::new(octets),
        }
    }
}

impl StoredMaterial {
    fn parse(&self) -> Result<Material, String> {
        match self.name.as_str() {
            "password" => str::from_utf8(&self.octets)
                .map_err(|_| "the password hash is not text".to_owned())?
                .parse()
                .map(Material::Password)
                .map_err(|error: crate::credential::PasswordHashError| error.to_string()),
            "key" => Ok(Material::Key(Key::new(&self.octets))),
            "public-keys" => match self.octets.as_chunks() {
                (keys, []) => Ok(Material::PublicKeys(
                    keys.iter().copied().map(PublicKey::trusted).collect(),
                )),
                _ => Err("the public keys are not 32 octets each".to_owned()),
            },
            "scram" => ScramKeys::from_octets(&self.octets)
                .map(Material::Scram)
                .ok_or_else(|| format!("the SCRAM keys are not {} octets", ScramKeys::LEN)),
            other => Err(format!("this program does not know the material {other:?}")),
        }
    }
}

/// SQLite's integers have a sign, and versions and counters have none.
pub(super) fn version(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// The columns are `disabled, expires`, from this one on.
pub(super) fn validity(row: &Row<'_>, column: usize) -> rusqlite::Result<Validity> {
    Ok(Validity {
        disabled: row.get(column)?,
        expires: row.get::<_, Option<i64>>(column + 1)?.map(from_unix_ms),
    })
}

/// A lock that stays until it is lifted: no time comes after it.
const UNTIL_LIFTED: i64 = i64::MAX;

/// The columns are `wrong, refused, locked_until`, from this one on.
pub(super) fn tally(row: &Row<'_>, column: usize) -> rusqlite::Result<Tally> {
    let until = row.get::<_, Option<i64>>(column + 2)?;
    Ok(Tally {
        wrong: row.get(column)?,
        refused: row.get(column + 1)?,
        lock: until.map(|until| match until {
            UNTIL_LIFTED => Lock::UntilLifted,
            until => Lock::Until(from_unix_ms(until)),
        }),
    })
}

pub(super) fn locked_until(tally: &Tally) -> Option<i64> {
    tally.lock.map(|lock| match lock {
        Lock::UntilLifted => UNTIL_LIFTED,
        Lock::Until(end) => unix_ms(end),
    })
}

/// A record as the columns of a query hold it.
pub(super) struct Columns {
    authid: Authid,
    authrole: Authrole,
    parameters: String,
    material: StoredMaterial,
    version: u64,
    validity: Validity,
    id: i64,
    keys: Vec<KeyColumns>,
}

/// An enrolled key as the columns of a query hold it.
pub(super) struct KeyColumns {
    id: Vec<u8>,
    public_key: Vec<u8>,
    counter: u64,
    about: String,
}

impl KeyColumns {
    /// The columns are `id, public_key, counter, about`.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            public_key: row.get(1)?,
            counter: version(row, 2)?,
            about: row.get(3)?,
        })
    }

    fn parse(&self) -> Result<EnrolledKey, String> {
        EnrolledKey::new(&self.id, &self.public_key, self.counter, &self.about)
            .map_err(|error| error.to_string())
    }
}

impl Columns {
    /// The columns are `authid, authrole, parameters, material_type, material, version, disabled,
    /// expires, id`.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            authid: Authid::from(row.get::<_, String>(0)?),
            authrole: Authrole::from(row.get::<_, String>(1)?),
            parameters: row.get(2)?,
            material: StoredMaterial {
                name: row.get(3)?,
                octets: Zeroizing::new(row.get(4)?),
            },
            version: version(row, 5)?,
            validity: validity(row, 6)?,
            id: row.get(8)?,
            keys: Vec::new(),
        })
    }

    /// The credential whose enrolled keys are still to be read.
    pub(super) fn lacks_keys(&self) -> Option<i64> {
        (self.material.name == ENROLLED_KEYS).then_some(self.id)
    }

    pub(super) fn with_keys(self, keys: Vec<KeyColumns>) -> Self {
        Self { keys, ..self }
    }

    /// Without the enrolled keys that have another id.
    pub(super) fn with_key_only(mut self, id: &[u8]) -> Self {
        self.keys.retain(|key| key.id == id);
        self
    }

    pub(super) fn record(self, realm: &Realm, kind: &Kind) -> Result<Record, StoreError> {
        let Self {
            authid,
            authrole,
            parameters,
            material,
            version,
            validity,
            id: _,
            keys,
        } = self;
        let parsed = if material.name == ENROLLED_KEYS {
            let keys: Result<Vec<_>, _> = keys.iter().map(KeyColumns::parse).collect();
            keys.map(|keys| {
                let parameters = EnrolledKey::parameters(&keys);
                (parameters, Material::EnrolledKeys(keys))
            })
        } else {
            Parameters::parse(&parameters)
                .map_err(|error| error.to_string())
                .and_then(|parameters| Ok((parameters, material.parse()?)))
        };
        let (parameters, material) = parsed.map_err(|reason| StoreError::Damaged {
            realm: realm.clone(),
            kind: kind.clone(),
            authid: authid.clone(),
            reason,
        })?;
        Ok(Record {
            kind: kind.clone(),
            authid,
            authrole,
            parameters,
            material,
            version,
            validity,
        })
    }
}
