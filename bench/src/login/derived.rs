use anyhow::{Result, ensure};
use parking_lot::Mutex;

/// What was made once out of what a server asks by, and is good for every login after that.
pub struct Derived<Question, Made>(Mutex<Option<(Question, Made)>>);

impl<Question: PartialEq, Made: Clone> Derived<Question, Made> {
    /// Makes it the first time. A server that asks by something else later would have it made
    /// again and again, and the load's time would be measured.
    pub fn get(
        &self,
        question: Question,
        make: impl FnOnce(&Question) -> Result<Made>,
    ) -> Result<Made> {
        let mut known = self.0.lock();
        if let Some((asked, made)) = &*known {
            ensure!(*asked == question, "the salt or the costs have changed");
            return Ok(made.clone());
        }
        let made = make(&question)?;
        Ok(known.insert((question, made)).1.clone())
    }
}

impl<Question, Made> Default for Derived<Question, Made> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once() {
        let derived = Derived::default();
        assert_eq!(derived.get("salt", |_| Ok(1)).unwrap(), 1);
        assert_eq!(derived.get("salt", |_| Ok(2)).unwrap(), 1);
        assert!(derived.get("pepper", |_| Ok(3)).is_err());
    }
}
