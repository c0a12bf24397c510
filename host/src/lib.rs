pub mod wamp;
