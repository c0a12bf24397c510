use crate::wamp::{Dict, Value};

const BROKER: [&str; 6] = [
    "pattern_based_subscription",
    "payload_passthru_mode",
    "publisher_exclusion",
    "publisher_identification",
    "session_meta_api",
    "subscriber_blackwhite_listing",
];

const DEALER: [&str; 7] = [
    "call_canceling",
    "caller_identification",
    "pattern_based_registration",
    "payload_passthru_mode",
    "progressive_call_results",
    "session_meta_api",
    "shared_registration",
];

/// What a client announced in HELLO, as far as it makes a difference to the router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// As a callee: it understands INTERRUPT.
    pub call_canceling: bool,
    /// As a callee. Without `call_canceling` it counts for nothing
    /// (`advanced/rpc_progressive_call_results.md`).
    pub progressive_call_results: bool,
}

impl Features {
    /// Reads `HELLO.Details.roles`. What is missing or of another type was not announced.
    pub fn announced(roles: &Dict) -> Self {
        let inside = |dict: &Dict, key: &str| dict.value(key).and_then(Value::as_dict).cloned();
        let callee = inside(roles, "callee")
            .and_then(|callee| inside(&callee, "features"))
            .unwrap_or_default();
        let has = |feature| callee.value(feature).and_then(Value::as_bool) == Some(true);
        let call_canceling = has("call_canceling");
        Self {
            call_canceling,
            progressive_call_results: call_canceling && has("progressive_call_results"),
        }
    }
}

/// The value of `WELCOME.Details.roles`: what this router does, and no more.
pub fn welcome_roles() -> Dict {
    let role = |features: &[&str]| {
        let features: Dict = features
            .iter()
            .map(|feature| ((*feature).to_owned(), Value::Bool(true)))
            .collect();
        Dict::new().with("features", features)
    };
    Dict::new()
        .with("broker", role(&BROKER))
        .with("dealer", role(&DEALER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progressive_results_need_call_canceling() {
        let roles =
            |features: Dict| Dict::new().with("callee", Dict::new().with("features", features));
        let progressive = Dict::new().with("progressive_call_results", true);
        assert_eq!(
            Features::announced(&roles(progressive.clone())),
            Features::default()
        );
        let both = Features::announced(&roles(progressive.with("call_canceling", true)));
        assert!(both.call_canceling && both.progressive_call_results);
        let odd = Dict::new().with("callee", "x");
        assert_eq!(Features::announced(&odd), Features::default());
    }
}
