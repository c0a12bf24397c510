//! What is measured, and what comes out of one measurement.

use std::{borrow::Cow, fmt, time::Duration};

use anyhow::Result;
use clap::ValueEnum;
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

use crate::{
    client::{Target, Transport},
    events,
    frame::Serializer,
    login::{self, Method},
    rpc,
};

/// What is done over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    WampCra,
    Cryptosign,
    Scram,
    Anonymous,
    Ticket,
    CallsJson,
    CallsMsgpack,
    EventsJson,
    EventsMsgpack,
}

/// What a row of the table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub scenario: Scenario,
    pub transport: Transport,
}

/// One measurement from the client's side.
#[derive(Debug)]
pub struct Sample {
    pub operations: u64,
    pub wall: Duration,
    /// Of each operation, in no order; empty where they are not measured.
    pub latencies: Vec<Duration>,
}

impl Scenario {
    const fn title(self) -> &'static str {
        match self {
            Self::WampCra => "login by wampcra",
            Self::Cryptosign => "login by cryptosign",
            Self::Scram => "login by scram",
            Self::Anonymous => "login by anonymous",
            Self::Ticket => "login by ticket",
            Self::CallsJson => "call, JSON",
            Self::CallsMsgpack => "call, MessagePack",
            Self::EventsJson => "event, JSON",
            Self::EventsMsgpack => "event, MessagePack",
        }
    }

    pub const fn is_login(self) -> bool {
        match self {
            Self::WampCra | Self::Cryptosign | Self::Scram | Self::Anonymous | Self::Ticket => true,
            Self::CallsJson | Self::CallsMsgpack | Self::EventsJson | Self::EventsMsgpack => false,
        }
    }

    pub async fn run(
        self,
        target: &Target,
        connections: usize,
        length: Duration,
    ) -> Result<Sample> {
        let login = |method| login::run(target, method, connections, length);
        match self {
            Self::WampCra => login(Method::WampCra).await,
            Self::Cryptosign => login(Method::Cryptosign).await,
            Self::Scram => login(Method::Scram).await,
            Self::Anonymous => login(Method::Anonymous).await,
            Self::Ticket => login(Method::Ticket).await,
            Self::CallsJson => rpc::run(target, Serializer::Json, length).await,
            Self::CallsMsgpack => rpc::run(target, Serializer::MsgPack, length).await,
            Self::EventsJson => events::run(target, Serializer::Json, length).await,
            Self::EventsMsgpack => events::run(target, Serializer::MsgPack, length).await,
        }
    }
}

impl Case {
    /// Everything over WebSocket, and one of each over the other transport.
    pub const DEFAULT: [Self; 11] = [
        Self::over(Transport::WebSocket, Scenario::WampCra),
        Self::over(Transport::RawSocket, Scenario::WampCra),
        Self::over(Transport::WebSocket, Scenario::Cryptosign),
        Self::over(Transport::WebSocket, Scenario::Scram),
        Self::over(Transport::WebSocket, Scenario::Anonymous),
        Self::over(Transport::WebSocket, Scenario::Ticket),
        Self::over(Transport::WebSocket, Scenario::CallsJson),
        Self::over(Transport::WebSocket, Scenario::CallsMsgpack),
        Self::over(Transport::RawSocket, Scenario::CallsMsgpack),
        Self::over(Transport::WebSocket, Scenario::EventsJson),
        Self::over(Transport::WebSocket, Scenario::EventsMsgpack),
    ];

    pub const fn over(transport: Transport, scenario: Scenario) -> Self {
        Self {
            scenario,
            transport,
        }
    }

    /// As the table names it.
    pub fn title(self) -> Cow<'static, str> {
        let title = self.scenario.title();
        match self.transport {
            Transport::WebSocket => title.into(),
            Transport::RawSocket => format!("{title}, RawSocket").into(),
        }
    }
}

impl Sample {
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let operations = self.operations as f64;
        operations / self.wall.as_secs_f64()
    }

    /// The latency that so many of 100 operations do not exceed.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut latencies = self.latencies.clone();
        let rank = latencies.len().checked_sub(1)? * percent / 100;
        Some(*latencies.select_nth_unstable(rank).1)
    }
}

/// The load needs one core only: the others are the servers'.
///
/// It never sleeps. Whoever sends to a thread that sleeps on another core pays for waking it, in a
/// virtual machine microseconds, and it would sleep the more the slower the server is.
pub fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.spawn(async {
        loop {
            yield_now().await;
        }
    });
    Ok(runtime)
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in {:.2?}: {:.0}/s",
            self.operations,
            self.wall,
            self.rate()
        )?;
        for percent in [50, 99] {
            if let Some(latency) = self.percentile(percent) {
                write!(f, ", p{percent} {latency:.2?}")?;
            }
        }
        Ok(())
    }
}
