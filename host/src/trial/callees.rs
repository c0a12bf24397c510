//! Procedures that answer what a table says.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::{
    config::{TestAnswer, TestProcedure},
    method::{self, Calling, Procedures, Unsuccessful},
    wamp::{Dict, Payload, Value},
};

struct Callees(Vec<TestProcedure>);

/// None where the table has none: then the method may ask nobody.
pub(super) fn procedures(realm: &Arc<str>, table: &[TestProcedure]) -> Option<Procedures> {
    if table.is_empty() {
        return None;
    }
    Some(Procedures {
        caller: Arc::clone(realm),
        realm: "callees".into(),
        allow: table.iter().map(|answer| answer.uri.clone()).collect(),
        timeout: Duration::from_secs(1),
        callees: Arc::new(Callees(table.to_vec())),
        turns: Arc::new(Semaphore::new(1)),
    })
}

impl method::Callees for Callees {
    fn call<'a>(&'a self, procedure: &'a str, arguments: Payload) -> Calling<'a> {
        Box::pin(async move {
            let list = arguments
                .arguments()
                .map_err(|_| Unsuccessful::Unreadable)?;
            let asked = list.get(1).and_then(Value::as_str);
            let details = list.get(2).and_then(Value::as_dict);
            let shown = details.and_then(|details| details.text("ticket"));
            let fits = |known: &&TestProcedure| {
                let [authid, ticket] = [&known.authid, &known.ticket].map(Option::as_deref);
                known.uri.as_str() == procedure
                    && authid.is_none_or(|it| Some(it) == asked)
                    && ticket.is_none_or(|it| Some(it) == shown)
            };
            match self.0.iter().find(fits).map(|known| &known.answer) {
                None => Err(Unsuccessful::NoCallee),
                Some(TestAnswer::Refuses { error, message }) => Err(Unsuccessful::Refused {
                    error: error.clone(),
                    message: message.clone(),
                }),
                Some(TestAnswer::Returns(returned)) => {
                    let dict = Dict::from_json(&returned.to_json(), 16);
                    dict.map(Value::Dict).map_err(|_| Unsuccessful::Unreadable)
                }
            }
        })
    }
}
