//! Browsers that are known again: a code in WELCOME, a cookie for the code, a login by the cookie.

// This is a test's code: where something is not as it must be, the test has failed.
#![allow(clippy::indexing_slicing, clippy::panic)]

mod chromium;
mod denied;
mod exchange;
mod house;
mod story;
