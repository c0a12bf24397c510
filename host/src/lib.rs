pub mod login;
pub mod wamp;
