//! Counting wrong answers.

use std::time::SystemTime;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Refusal, Sqlite, from_unix_ms, row, unix_ms};
use crate::credential::{Authid, Bounds, GuessSource, Guesser, Kind, Realm, StoreError, Tally};

/// Tallies of a realm and kind that may belong to nobody's credential. Those of credentials are never
/// dropped: whoever makes up authids by the thousand does not make us forget what was guessed.
const MOST_STRANGERS: u32 = if cfg!(test) { 20 } else { 10_000 };

/// Sources of one authid and kind that are known: an address at home, at work, on the way.
const MOST_SOURCES: u32 = 16;

const TALLY: &str = "
    SELECT wrong, refused, locked_until
    FROM wrong_answer WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND source = ?4";

const PUT: &str = "
    INSERT OR REPLACE INTO wrong_answer
        (realm, kind, authid, source, wrong, refused, locked_until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const REFUSED: &str = "
    UPDATE wrong_answer SET refused = min(refused + 1, 4294967295)
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND source = ?4";

const FORGET_ONE: &str = "
    DELETE FROM wrong_answer WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND source = ?4";

const FORGET: &str = "
    DELETE FROM wrong_answer WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

const LAST_RIGHT: &str = "
    SELECT last_right
    FROM known_source WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND source = ?4";

const KNOW: &str = "
    INSERT OR REPLACE INTO known_source (realm, kind, authid, source, last_right)
    VALUES (?1, ?2, ?3, ?4, ?5)";

const DROP_SOURCES: &str = "
    DELETE FROM known_source WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND source IN (
        SELECT source FROM known_source WHERE realm = ?1 AND kind = ?2 AND authid = ?3
        ORDER BY last_right DESC LIMIT -1 OFFSET ?4)";

const FORGET_SOURCES: &str = "
    DELETE FROM known_source WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

/// Of strangers those go first who have guessed least.
const DROP_STRANGERS: &str = "
    DELETE FROM wrong_answer WHERE realm = ?1 AND kind = ?2 AND (authid, source) IN (
        SELECT authid, source FROM wrong_answer AS it
        WHERE realm = ?1 AND kind = ?2 AND authid <> ?3 AND NOT EXISTS (
            SELECT 1 FROM credential
            WHERE realm = it.realm AND kind = it.kind AND authid = it.authid)
        ORDER BY wrong DESC LIMIT -1 OFFSET ?4)";

const TALLIES: &str = "
    SELECT kind, authid, source, wrong, refused, locked_until
    FROM wrong_answer WHERE realm = ?1 ORDER BY authid, kind, source";

impl Sqlite {
    pub(super) fn read_tally(&self, guesser: &Guesser) -> Result<Tally, StoreError> {
        let reader = self.reader.lock();
        reader
            .prepare_cached(TALLY)
            .and_then(|mut query| {
                let found = query.query_row(key(guesser), |columns| row::tally(columns, 0));
                found.optional()
            })
            .map(Option::unwrap_or_default)
            .map_err(|error| self.failed("read how many answers were wrong", error))
    }

    pub(super) fn add_wrong(
        &self,
        guesser: &Guesser,
        bounds: &Bounds,
        now: SystemTime,
    ) -> Result<Tally, StoreError> {
        let mut writer = self.writer.lock();
        self.transaction(&mut writer, "count a wrong answer", |tx| {
            let before = tx
                .prepare_cached(TALLY)?
                .query_row(key(guesser), |columns| row::tally(columns, 0))
                .optional()?;
            let tally = before.unwrap_or_default().one_more(bounds, now);
            let (realm, kind, authid, source) = key(guesser);
            let until = row::locked_until(&tally);
            let Tally { wrong, refused, .. } = tally;
            let put = params![realm, kind, authid, source, wrong, refused, until];
            tx.prepare_cached(PUT)?.execute(put)?;
            if before.is_none() {
                tx.prepare_cached(DROP_STRANGERS)?.execute(params![
                    realm,
                    kind,
                    authid,
                    MOST_STRANGERS - 1
                ])?;
            }
            Ok(tally)
        })
    }

    pub(super) fn add_refused(&self, guesser: &Guesser) -> Result<(), StoreError> {
        let counted = self.once("count a refused answer", REFUSED, key(guesser));
        counted.map(|_| ())
    }

    pub(super) fn clear_wrong(&self, guesser: &Guesser) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock();
        self.transaction(&mut writer, "forget wrong answers", |tx| {
            Ok(tx.prepare_cached(FORGET)?.execute(whose(guesser))? > 0)
        })
    }

    pub(super) fn read_last_right(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
    ) -> Result<Option<SystemTime>, StoreError> {
        let (realm, kind, authid) = whose(guesser);
        let reader = self.reader.lock();
        reader
            .prepare_cached(LAST_RIGHT)
            .and_then(|mut query| {
                let key = (realm, kind, authid, source.as_str());
                query.query_row(key, |row| row.get(0)).optional()
            })
            .map(|found| found.map(from_unix_ms))
            .map_err(|error| self.failed("read where right answers came from", error))
    }

    pub(super) fn keep_source(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let (realm, kind, authid) = whose(guesser);
        let mut writer = self.writer.lock();
        self.transaction(&mut writer, "take note of a right answer", |tx| {
            tx.prepare_cached(FORGET_ONE)?.execute(key(guesser))?;
            let known = params![realm, kind, authid, source.as_str(), unix_ms(now)];
            tx.prepare_cached(KNOW)?.execute(known)?;
            let most = params![realm, kind, authid, MOST_SOURCES];
            tx.prepare_cached(DROP_SOURCES)?.execute(most)?;
            Ok(())
        })
    }

    pub(super) fn read_tallies(&self, realm: &Realm) -> Result<Vec<(Guesser, Tally)>, StoreError> {
        let reader = self.reader.lock();
        reader
            .prepare_cached(TALLIES)
            .and_then(|mut query| {
                let tallies = query.query_map([realm.as_str()], |columns| {
                    let guesser = Guesser {
                        realm: realm.clone(),
                        kind: Kind::from(columns.get::<_, String>(0)?),
                        authid: Authid::from(columns.get::<_, String>(1)?),
                        known: Some(columns.get::<_, String>(2)?)
                            .filter(|source| !source.is_empty())
                            .map(GuessSource::new),
                    };
                    Ok((guesser, row::tally(columns, 3)?))
                })?;
                tallies.collect()
            })
            .map_err(|error| self.failed("list the wrong answers", error))
    }
}

/// What was guessed of a credential that is gone says nothing of the next one, and who had that may
/// be somebody else.
pub(super) fn begin_anew(
    tx: &Transaction<'_>,
    realm: &Realm,
    kind: &Kind,
    authid: &Authid,
) -> Result<(), Refusal> {
    let whose = (realm.as_str(), kind.as_str(), authid.as_str());
    tx.execute(FORGET, whose)?;
    tx.execute(FORGET_SOURCES, whose)?;
    Ok(())
}

fn whose(guesser: &Guesser) -> (&str, &str, &str) {
    let Guesser {
        realm,
        kind,
        authid,
        known: _,
    } = guesser;
    (realm.as_str(), kind.as_str(), authid.as_str())
}

/// No source has an empty text.
fn key(guesser: &Guesser) -> (&str, &str, &str, &str) {
    let (realm, kind, authid) = whose(guesser);
    let source = guesser.known.as_ref().map_or("", GuessSource::as_str);
    (realm, kind, authid, source)
}
