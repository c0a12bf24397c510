//! What is the same for all CBOR here. Authenticators write CTAP2's canonical form, in which every
//! length is given in advance.

use minicbor::{Decoder, decode::Error};

/// A length, which must be given.
pub(crate) fn definite(length: Option<u64>) -> Result<u64, Error> {
    length.ok_or_else(|| Error::message("a length is not given"))
}

/// Nothing follows.
pub(crate) fn end(decoder: &Decoder) -> Result<(), Error> {
    if decoder.position() == decoder.input().len() {
        Ok(())
    } else {
        Err(Error::message("something follows"))
    }
}
