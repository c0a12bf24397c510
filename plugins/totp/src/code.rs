/// What a person typed: 6 to 8 digits.
///
/// Not `Debug`: it is a secret for as long as its time step lasts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    digits: u8,
    number: u32,
}

impl Code {
    /// Takes exactly so many ASCII digits. Anything else is no code, so that no code has a second
    /// spelling: not with a space, not in another script's digits.
    pub fn parse(text: &str, digits: u8) -> Option<Self> {
        if text.len() != usize::from(digits) || !text.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let number = text.parse().ok()?;
        Some(Self { digits, number })
    }

    /// The code that an HMAC makes (RFC 4226 section 5.3): the four octets that its last four bits
    /// point at, without the sign bit, and the last digits of that. None for octets that are too few
    /// to be an HMAC.
    fn of_hmac(hmac: &[u8], digits: u8) -> Option<Self> {
        let offset = usize::from(hmac.last()? & 0xf);
        let (octets, _) = hmac.get(offset..)?.split_first_chunk()?;
        let number = u32::from_be_bytes(*octets) & 0x7fff_ffff;
        Some(Self {
            digits,
            number: number % 10_u32.checked_pow(digits.into())?,
        })
    }

    /// The step whose code this is; the latest, if several have the same. All are looked at, so
    /// that the time tells nothing.
    pub fn step_among(
        self,
        steps: impl Iterator<Item = u64>,
        hmac: impl Fn(u64) -> Vec<u8>,
    ) -> Option<u64> {
        steps.fold(None, |found, step| {
            if Self::of_hmac(&hmac(step), self.digits) == Some(self) {
                Some(step)
            } else {
                found
            }
        })
    }
}
