use std::{cell::Cell, collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{
    Census, Limits, Member, Random, Refusal, Traffic,
    options::{self, Audience},
    patterns::Patterns,
    session::{self, Session},
};
use crate::wamp::{
    Action, Dict, Id, Malformed, MatchPolicy, Message, Pattern, Payload, RequestIds, Serializer,
    Value, reason,
};

const TOO_MANY: Refusal = Refusal::new(
    reason::UNAVAILABLE,
    "the session has as many subscriptions as it may",
);
const NO_SUBSCRIPTION: Refusal = Refusal::new(
    reason::NO_SUCH_SUBSCRIPTION,
    "the session has no such subscription",
);

pub(super) struct Broker {
    subscriptions: Patterns<Subscription>,
    ids: RequestIds,
    limits: Limits,
    /// Behind the realm's lock, as all of this.
    publications: Cell<u64>,
    events: Cell<u64>,
}

/// A pattern and everyone who is subscribed to it: at least one.
struct Subscription {
    id: Id,
    policy: MatchPolicy,
    /// Whether it is about what the router tells by itself.
    is_reserved: bool,
    subscribers: BTreeMap<Id, Arc<Member>>,
}

/// One publication, before it is known who gets it.
struct Publication<'a> {
    id: Id,
    publisher: Id,
    options: options::Publish,
    details: Dict,
    topic: &'a str,
    payload: Payload,
}

/// An EVENT in the serializations that someone needed so far.
#[derive(Default)]
struct Frames([Option<Result<Bytes, Malformed>>; Serializer::ALL.len()]);

impl Broker {
    pub fn new(limits: Limits) -> Self {
        Self {
            subscriptions: Patterns::default(),
            ids: RequestIds::default(),
            limits,
            publications: Cell::default(),
            events: Cell::default(),
        }
    }

    /// A second time gives the same id.
    pub fn subscribe(
        &mut self,
        subscriber: &mut Session,
        topic: &str,
        policy: MatchPolicy,
    ) -> Result<Id, Refusal> {
        let pattern = session::pattern(topic, policy, self.limits.uri)?;
        subscriber.check_all(Action::Subscribe, &pattern)?;
        let member = &subscriber.member;
        if let Some(subscription) = self.subscriptions.get_mut(&pattern)
            && subscription.subscribers.contains_key(&member.id)
        {
            return Ok(subscription.id);
        }
        if subscriber.subscriptions.len() >= self.limits.subscriptions {
            return Err(TOO_MANY);
        }
        let subscription = self.subscriptions.entry(&pattern, || Subscription {
            id: self.ids.issue(),
            policy,
            is_reserved: pattern.is_reserved(),
            subscribers: BTreeMap::new(),
        });
        let id = subscription.id;
        subscription.subscribers.insert(member.id, member.clone());
        subscriber.subscriptions.insert(id, pattern);
        Ok(id)
    }

    pub fn unsubscribe(
        &mut self,
        subscriber: &mut Session,
        subscription: Id,
    ) -> Result<(), Refusal> {
        let pattern = subscriber.subscriptions.remove(&subscription);
        let pattern = pattern.ok_or(NO_SUBSCRIPTION)?;
        self.remove(&pattern, subscriber.member.id);
        Ok(())
    }

    pub fn publish(
        &self,
        publisher: &Session,
        options: options::Publish,
        topic: &str,
        payload: Payload,
        random: &mut Random,
    ) -> Result<Id, Refusal> {
        publisher.check(Action::Publish, topic, self.limits.uri)?;
        let mut details = options.passthru.clone();
        if options.disclose_me {
            publisher.member.disclose(&mut details, "publisher");
        }
        let publication = Publication {
            id: Id::from_random(random.bits()),
            publisher: publisher.member.id,
            options,
            details,
            topic,
            payload,
        };
        let receiving = self.subscriptions.matches(topic);
        let delivered: u64 = receiving.map(|it| publication.fan_out(it)).sum();
        self.publications.set(self.publications.get() + 1);
        self.events.set(self.events.get() + delivered);
        Ok(publication.id)
    }

    /// Tells what happens in the router itself, under a topic of the protocol's. Only those hear it
    /// whose subscription says that it is about such: one to everything is about the realm's own.
    pub fn announce(
        &self,
        topic: &str,
        random: &mut Random,
        arguments: impl FnOnce() -> Vec<Value>,
    ) {
        let subscriptions = self.subscriptions.matches(topic);
        let mut subscriptions = subscriptions.filter(|it| it.is_reserved).peekable();
        if subscriptions.peek().is_none() {
            return;
        }
        let payload = Payload::list(arguments());
        let id = Id::from_random(random.bits());
        for subscription in subscriptions {
            let details = match subscription.policy {
                MatchPolicy::Exact => Dict::new(),
                _ => Dict::new().with("topic", topic),
            };
            let event = Message::Event {
                subscription: subscription.id,
                publication: id,
                details,
                payload: payload.clone(),
            };
            let mut frames = Frames::default();
            for member in subscription.subscribers.values() {
                if let Ok(frame) = frames.encode(&event, member.serializer) {
                    member.outbox.deliver(frame);
                }
            }
        }
    }

    pub fn report(&self, traffic: &mut Traffic) {
        traffic.publications = self.publications.get();
        traffic.events = self.events.get();
    }

    pub fn leave(&mut self, session: &Session) {
        for pattern in session.subscriptions.values() {
            self.remove(pattern, session.member.id);
        }
    }

    pub fn count(&self, census: &mut Census) {
        for subscription in self.subscriptions.values() {
            census.subscriptions += 1;
            census.subscribers += subscription.subscribers.len();
        }
    }

    fn remove(&mut self, pattern: &Pattern, session: Id) {
        let Some(subscription) = self.subscriptions.get_mut(pattern) else {
            return;
        };
        subscription.subscribers.remove(&session);
        if subscription.subscribers.is_empty() {
            self.subscriptions.remove(pattern);
        }
    }
}

impl Publication<'_> {
    /// Yields how many get it.
    fn fan_out(&self, subscription: &Subscription) -> u64 {
        let mut frames = Frames::default();
        let receivers = subscription.subscribers.values();
        let mut receivers = receivers.filter(|member| self.concerns(member)).peekable();
        if receivers.peek().is_none() {
            return 0;
        }
        let event = self.event(subscription);
        let mut delivered = 0;
        for member in receivers {
            if let Ok(frame) = frames.encode(&event, member.serializer) {
                member.outbox.deliver(frame);
                delivered += 1;
            }
        }
        delivered
    }

    fn concerns(&self, member: &Member) -> bool {
        if self.options.exclude_me && member.id == self.publisher {
            return false;
        }
        let (id, authid, authrole) = (member.id.as_u64(), &*member.authid, &*member.authrole);
        let eligible = |audience: &Audience| audience.all(id, authid, authrole);
        !self.options.exclude.any(id, authid, authrole)
            && self.options.eligible.as_ref().is_none_or(eligible)
    }

    fn event(&self, subscription: &Subscription) -> Message {
        let mut details = self.details.clone();
        if subscription.policy != MatchPolicy::Exact {
            details.insert("topic", self.topic);
        }
        Message::Event {
            subscription: subscription.id,
            publication: self.id,
            details,
            payload: self.payload.clone(),
        }
    }
}

impl Frames {
    fn encode(&mut self, event: &Message, serializer: Serializer) -> Result<Bytes, Malformed> {
        let slot = match serializer {
            Serializer::Json => &mut self.0[0],
            Serializer::MsgPack => &mut self.0[1],
            Serializer::Cbor => &mut self.0[2],
        };
        slot.get_or_insert_with(|| event.encode(serializer)).clone()
    }
}
