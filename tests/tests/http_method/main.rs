//! Logins that a service decides, asked by the method `http`: what it is told, what it may say, and
//! that whatever goes wrong on the way is a denial like any other.

mod denied;
mod granted;
mod house;
mod told;
