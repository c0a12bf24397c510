use countersign::wamp::{Dict, Message};

use crate::{Client, Refusal, Router};

/// An AUTHENTICATE.
pub fn authenticate(signature: impl Into<String>, extra: Dict) -> Message {
    Message::Authenticate {
        signature: signature.into(),
        extra,
    }
}

impl Client {
    /// Says HELLO, and waits for a CHALLENGE: what it asks.
    pub async fn challenged(router: &Router, hello: Message) -> (Self, Dict) {
        let mut client = Self::greet(router, hello).await;
        match client.receive().await {
            Message::Challenge { extra, .. } => (client, extra),
            other => panic!("not a challenge: {other:?}"),
        }
    }

    /// Sends an answer, and waits until it is refused.
    pub async fn refused(mut self, answer: &Message) -> Refusal {
        self.send(answer).await;
        self.refusal().await
    }
}

impl Router {
    /// Waits until so many logins have been refused, and returns why, in the words of the log.
    pub async fn whys(&self, count: usize) -> Vec<String> {
        let refused = |event: &crate::Event| event.message() == "login refused";
        let records = self.log.take(count, refused).await;
        let why = records.iter().map(|record| record.text("why").to_owned());
        why.collect()
    }
}
