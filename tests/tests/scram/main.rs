//! SCRAM in both of its dialects: `wamp-scram` as the specification has it, and `scram` as
//! autobahn-python speaks it.

mod decoys;
mod denied;
mod house;
mod logins;
