use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::{process::Child, sync::watch};

use crate::{LONG_PATIENCE, PATIENCE, within};

/// What a router has said, from its start on.
#[derive(Clone, Debug)]
pub struct Log {
    events: watch::Receiver<Vec<Event>>,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub struct Event(Value);

impl Log {
    /// Reads what a process writes to its standard error.
    pub(crate) fn of(process: &mut Child) -> Self {
        let stderr = process.stderr.take().expect("its standard error is a pipe");
        let stderr = File::from(stderr.into_owned_fd().expect("a pipe"));
        let (sender, events) = watch::channel(Vec::new());
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sender.send_modify(|events| events.push(Event::read(&line)));
            }
        });
        Self { events }
    }

    /// Waits until the log has such a line, whenever it was written.
    pub async fn find(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        self.take(1, wanted).await.remove(0)
    }

    /// Waits for a line that comes after a component was compiled.
    pub(crate) async fn compiled(&self, message: &str) -> Event {
        let is_it = |event: &Event| event.message() == message;
        self.take_within(LONG_PATIENCE, 1, is_it).await.remove(0)
    }

    /// Waits until the log has so many of these lines.
    pub async fn take(&self, count: usize, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.take_within(PATIENCE, count, wanted).await
    }

    async fn take_within(
        &self,
        patience: Duration,
        count: usize,
        wanted: impl Fn(&Event) -> bool,
    ) -> Vec<Event> {
        let mut events = self.events.clone();
        let mut found = Vec::new();
        let mut seen = 0;
        loop {
            {
                let events = events.borrow_and_update();
                found.extend(events[seen..].iter().filter(|event| wanted(event)).cloned());
                seen = events.len();
            }
            if found.len() >= count {
                return found;
            }
            let more = within(patience, "a line in the log", events.changed()).await;
            more.expect("the process has ended without that line in its log");
        }
    }

    /// Waits until the log has a line with this message.
    pub async fn message(&self, message: &str) -> Event {
        self.find(|event| event.message() == message).await
    }

    /// Waits for a line whose message has this in it.
    pub async fn mention(&self, text: &str) -> Event {
        self.find(|event| event.message().contains(text)).await
    }

    /// Waits until the log has a generation of a realm in place.
    pub async fn generation(&self, realm: &str, number: u64) -> Event {
        self.find(|event| {
            event.message() == "the realm is in place"
                && event.text("realm") == realm
                && event.number("generation") == Some(number)
        })
        .await
    }

    /// What there is by now.
    pub fn so_far(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }
}

impl Event {
    fn read(line: &str) -> Self {
        let value = serde_json::from_str(line);
        // A panic's message, say.
        Self(value.unwrap_or_else(|_| serde_json::json!({ "message": line })))
    }

    pub fn message(&self) -> &str {
        self.text("message")
    }

    /// A field that is text; empty if there is none.
    pub fn text(&self, field: &str) -> &str {
        self.0
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub fn number(&self, field: &str) -> Option<u64> {
        self.0.get(field).and_then(Value::as_u64)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Shows what a process has said when its test fails: beside the test's own output, and kept from
/// sight with that if all is well.
#[derive(Debug)]
pub(crate) struct Shown {
    pub name: &'static str,
    pub log: Log,
}

impl Drop for Shown {
    fn drop(&mut self) {
        if thread::panicking() {
            for event in self.log.so_far() {
                eprintln!("{}: {event}", self.name);
            }
        }
    }
}
