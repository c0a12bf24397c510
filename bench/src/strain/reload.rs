//! Logins while the method that they go through is replaced, again and again.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, de::IgnoredAny};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    Finding, median,
    pace::{lasting, paced},
    pairs::{Pairs, SLICE},
    site::{Site, guest},
};
use crate::{
    client::{Dialer, Target},
    frame::{CHALLENGE, Serializer, WELCOME},
    machine::Cores,
};

const REALM: &str = "changing";

const REALM_FILE: &str = r#"
roles = ["guest"]
[[login]]
steps = ["revision"]
"#;

/// What the tests' component has where its number is to be.
const MARK: &[u8] = b"revision-0000";

/// How often a file is saved.
const EVERY: Duration = Duration::from_millis(100);

/// A second. Saves come at no multiple of that: each would meet a login at the same point.
const LOGINS: u32 = 997;

/// How often a save is followed by its first login,
const SAVES: u32 = 20;

/// and how long is between logins meanwhile. Were there always one, the router would be measured that
/// has all its time taken.
const PAUSE: Duration = Duration::from_millis(2);

/// Logins under way at one time, in the soak.
const CONNECTIONS: usize = 16;

/// Replaces the method.
struct Author {
    site: Site,
    component: Vec<u8>,
    mark: usize,
}

/// Logs in through it.
struct Visitor {
    dialer: Dialer,
    hello: Vec<u8>,
}

pub async fn run(router: &Path, cores: Cores, reloads: u32) -> Result<Vec<Finding>> {
    let author = Author::new(router, "reload")?;
    let (server, _) = author.site.start(cores)?;
    let visitor = Arc::new(Visitor::new(&server.websocket()));
    let visit = || {
        let visitor = Arc::clone(&visitor);
        async move { visitor.visit().await.map(|_| ()) }
    };
    let each = u32::try_from(SLICE.as_millis() / EVERY.as_millis())?;
    let slices = reloads.div_ceil(each);
    let reloads = slices * each;
    let mut pairs = Pairs::default();
    let (mut logins, mut lost) = (0, 0);
    for slice in 0..slices {
        let revisions = (1..=each).map(|number| author.write(slice * each + number));
        let revisions = revisions.collect::<Result<Vec<_>>>()?;
        let quiet = paced(LOGINS, lasting(SLICE), visit).await?;
        let done = Rc::new(Cell::new(false));
        let goes_on = {
            let done = Rc::clone(&done);
            move || !done.get()
        };
        let saves = async {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for revision in &revisions {
                ticks.tick().await;
                author.put_in_place(revision)?;
            }
            ticks.tick().await;
            done.set(true);
            anyhow::Ok(())
        };
        let (strained, saved) = tokio::join!(paced(LOGINS, goes_on, visit), saves);
        saved?;
        let strained = strained?;
        pairs.add(quiet.p99()?, strained.p99()?);
        logins += strained.latencies.len();
        lost += strained.failed;
    }
    let mut waits = Vec::new();
    for number in 1..=SAVES {
        waits.push(author.first_login(&visitor, reloads + number).await?);
    }
    let wait = median(waits).context("nothing was saved")?;
    let what = format!("login, p99, while its method is replaced {reloads} times, each 100 ms");
    Ok(vec![
        pairs.finding(what)?,
        Finding::single(
            "of these logins lost or of two revisions",
            format!("{lost} of {logins}"),
        ),
        Finding::single(
            format!(
                "from a component of {} KB saved to the first login through it, median",
                author.component.len() / 1000
            ),
            super::written(wait),
        ),
    ])
}

/// So many logins, and a method that is replaced meanwhile.
pub async fn soak(router: &Path, cores: Cores, logins: u64) -> Result<Vec<Finding>> {
    let author = Author::new(router, "soak")?;
    let (server, _) = author.site.start(cores)?;
    let visitor = Arc::new(Visitor::new(&server.websocket()));
    let over = Arc::new(AtomicBool::new(false));
    let mut visits = JoinSet::new();
    let each = logins.div_ceil(CONNECTIONS as u64);
    for _ in 0..CONNECTIONS {
        let visitor = Arc::clone(&visitor);
        visits.spawn(async move {
            let mut lost = 0_u64;
            for _ in 0..each {
                if visitor.visit().await.is_err() {
                    lost += 1;
                }
            }
            lost
        });
    }
    let saves = async {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number = 0;
        while !over.load(Ordering::Relaxed) {
            ticks.tick().await;
            number = number % 9998 + 1;
            author.save(number)?;
        }
        anyhow::Ok(number)
    };
    let visiting = async {
        let mut lost = 0;
        while let Some(visit) = visits.join_next().await {
            lost += visit?;
        }
        over.store(true, Ordering::Relaxed);
        anyhow::Ok(lost)
    };
    let (saved, lost) = tokio::join!(saves, visiting);
    let (saved, lost) = (saved?, lost?);
    let total = each * CONNECTIONS as u64;
    Ok(vec![Finding::single(
        format!("of {total} logins, while their method was replaced {saved} times, lost or mixed"),
        lost.to_string(),
    )])
}

impl Author {
    fn new(router: &Path, name: &str) -> Result<Self> {
        let site = Site::new(router, name)?;
        let component = guest("revision")?;
        let mark = component
            .windows(MARK.len())
            .position(|window| window == MARK)
            .context("the component has no place for its number")?;
        site.realm(REALM, REALM_FILE)?;
        site.component("revision", &component)?;
        Ok(Self {
            site,
            component,
            mark,
        })
    }

    fn save(&self, number: u32) -> Result<()> {
        self.put_in_place(&self.write(number)?)
    }

    /// Elsewhere, so that only its name is changed while logins are measured: whatever this process
    /// does besides, they wait for.
    fn write(&self, number: u32) -> Result<PathBuf> {
        let mut octets = self.component.clone();
        let place = octets.get_mut(self.mark..self.mark + MARK.len());
        let place = place.context("the mark is in the component")?;
        place.copy_from_slice(name(number).as_bytes());
        self.site.write_aside(&name(number), &octets)
    }

    fn put_in_place(&self, revision: &Path) -> Result<()> {
        self.site.put_in_place(revision, "revision")
    }

    /// How long it takes from a save to a login that meets what was saved.
    async fn first_login(&self, visitor: &Visitor, number: u32) -> Result<Duration> {
        self.save(number)?;
        let begin = Instant::now();
        while visitor.visit().await? != name(number) {
            ensure!(
                begin.elapsed() < Duration::from_secs(30),
                "it is not taken up"
            );
            sleep(PAUSE).await;
        }
        Ok(begin.elapsed())
    }
}

fn name(number: u32) -> String {
    format!("revision-{number:04}")
}

#[derive(Deserialize)]
struct Extra {
    revision: String,
}

#[derive(Deserialize)]
struct Details {
    authextra: Extra,
}

impl Visitor {
    fn new(target: &Target) -> Self {
        Self {
            dialer: Dialer::new(target, Serializer::Json),
            hello: Serializer::Json.hello(REALM, "revision", None),
        }
    }

    /// The revision that decided. An error if another one asked.
    async fn visit(&self) -> Result<String> {
        let mut client = self.dialer.dial().await?;
        client.send(&self.hello).await?;
        let challenge = client.expect(CHALLENGE).await?;
        let (_, _, asked): (IgnoredAny, IgnoredAny, Extra) = serde_json::from_slice(&challenge)?;
        client.send(b"[5,\"\",{}]").await?;
        let welcome = client.expect(WELCOME).await?;
        let (_, _, details): (IgnoredAny, IgnoredAny, Details) = serde_json::from_slice(&welcome)?;
        let decided = details.authextra.revision;
        if asked.revision != decided {
            bail!("{} asked, and {decided} decided", asked.revision);
        }
        client.close().await?;
        Ok(decided)
    }
}
