//! Passkeys: made with a code of the operator's, then used to log in.

mod chromium;
mod enrolment;
mod house;
mod later;
mod login;
