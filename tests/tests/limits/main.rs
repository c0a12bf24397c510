//! What one call of a method can do to the router: nothing but fail its own login. What one realm can
//! take of it: its share.

mod circuit;
mod deeds;
mod files;
mod flood;
mod house;
mod neighbours;
mod overload;
mod secrets;
mod warm;
