//! Reading secrets: from a person at the terminal, or from standard input. Never from arguments,
//! which other users of the machine can see and which shells remember.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal, Read},
};

use parking_lot::Mutex;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::output;

/// The most octets of one line.
const LONGEST: usize = 4096;

/// What must not be seen: not printed, and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(_)")
    }
}

/// Why there is no secret.
#[derive(Debug, Error)]
pub enum SecretError {
    #[error(
        "standard input ended where a line was expected for {0:?}; write one line for each \
         question to it, or run this in a terminal"
    )]
    Ended(String),
    #[error("the line is longer than {LONGEST} octets, the most that is read")]
    TooLong,
    #[error("the line is not UTF-8; write it as UTF-8")]
    NotUtf8,
    #[error("the two are not the same; start again")]
    Different,
    #[error("nothing could be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// Where answers come from. Its calls wait for a person.
pub enum Prompt {
    /// Typed, and not shown.
    Terminal,
    /// One line for each question.
    Lines(Mutex<Box<dyn BufRead + Send>>),
}

impl Prompt {
    /// The terminal if standard input is one, else the lines of standard input.
    #[must_use]
    pub fn standard_input() -> Self {
        let input = io::stdin();
        if input.is_terminal() {
            Self::Terminal
        } else {
            Self::lines(io::BufReader::with_capacity(1, input))
        }
    }

    /// The lines of any text.
    pub fn lines(text: impl BufRead + Send + 'static) -> Self {
        Self::Lines(Mutex::new(Box::new(text)))
    }

    /// Asks for a secret.
    ///
    /// # Errors
    /// If there is no answer, or one that is no line of text.
    pub fn ask(&self, question: &str) -> Result<Secret, SecretError> {
        match self {
            Self::Terminal => {
                let answer = Secret::from(rpassword::prompt_password(format!("{question} "))?);
                if answer.expose().len() > LONGEST {
                    Err(SecretError::TooLong)
                } else {
                    Ok(answer)
                }
            }
            Self::Lines(lines) => {
                line(&mut *lines.lock())?.ok_or_else(|| SecretError::Ended(question.to_owned()))
            }
        }
    }

    /// Asks for a secret that is to be kept: a person types it twice.
    ///
    /// # Errors
    /// Those of [`Prompt::ask`], and if the second is another than the first.
    pub fn ask_new(&self, question: &str) -> Result<Secret, SecretError> {
        let secret = self.ask(question)?;
        match self {
            Self::Terminal if self.ask("Once more:")? != secret => Err(SecretError::Different),
            _ => Ok(secret),
        }
    }

    /// Asks for what is no secret: a person types one line and sees it; otherwise all lines that
    /// are left count, at most `most`, without the empty ones.
    ///
    /// # Errors
    /// Those of [`Prompt::ask`].
    pub fn ask_openly(&self, question: &str, most: usize) -> Result<Vec<String>, SecretError> {
        let mut found = Vec::new();
        let mut take = |line: Secret| {
            let line = line.expose().trim();
            if !line.is_empty() {
                found.push(line.to_owned());
            }
        };
        match self {
            Self::Terminal => {
                output::tell(format_args!("{question}"));
                line(&mut io::stdin().lock())?.map(take);
            }
            Self::Lines(lines) => {
                let mut lines = lines.lock();
                for _ in 0..most {
                    let Some(line) = line(&mut *lines)? else {
                        break;
                    };
                    take(line);
                }
            }
        }
        if found.is_empty() {
            Err(SecretError::Ended(question.to_owned()))
        } else {
            Ok(found)
        }
    }
}

/// The next line without its end; none where the text has ended.
fn line(input: &mut dyn BufRead) -> Result<Option<Secret>, SecretError> {
    // Room for the end of the line; so large from the start that it is never moved, which would
    // leave a copy behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
    let read = input
        .take(LONGEST as u64 + 2)
        .read_until(b'\n', &mut octets)?;
    if read == 0 {
        return Ok(None);
    }
    for end in [b'\n', b'\r'] {
        if octets.last() == Some(&end) {
            octets.pop();
        }
    }
    if octets.len() > LONGEST {
        return Err(SecretError::TooLong);
    }
    match String::from_utf8(std::mem::take(&mut *octets)) {
        Ok(text) => Ok(Some(Secret::from(text))),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(SecretError::NotUtf8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(text: &'static [u8]) -> Prompt {
        Prompt::lines(text)
    }

    #[test]
    fn each_question_takes_a_line() {
        let prompt = prompt(b"first\r\n\nspaces stay \nlast");
        for expected in ["first", "", "spaces stay ", "last"] {
            assert_eq!(prompt.ask("?").unwrap().expose(), expected);
        }
        assert!(
            matches!(prompt.ask("Secret:"), Err(SecretError::Ended(question)) if question == "Secret:")
        );
    }

    #[test]
    fn a_new_secret_is_one_line_too() {
        let prompt = prompt(b"new\nnext\n");
        assert_eq!(prompt.ask_new("?").unwrap().expose(), "new");
        assert_eq!(prompt.ask("?").unwrap().expose(), "next");
    }

    #[test]
    fn a_line_is_bounded_and_text() {
        let longest = "x".repeat(LONGEST);
        let ask = |text: String| Prompt::lines(io::Cursor::new(text)).ask("?");
        assert_eq!(ask(format!("{longest}\r\n")).unwrap().expose(), longest);
        assert!(matches!(
            ask(format!("{longest}x\n")),
            Err(SecretError::TooLong)
        ));
        assert!(matches!(
            ask("x".repeat(1 << 20)),
            Err(SecretError::TooLong)
        ));
        assert!(matches!(
            prompt(b"\xff\n").ask("?"),
            Err(SecretError::NotUtf8)
        ));
    }

    #[test]
    fn what_is_open_is_read_to_the_end() {
        assert_eq!(
            prompt(b"a\n\n b \n").ask_openly("?", 9).unwrap(),
            ["a", "b"]
        );
        assert_eq!(prompt(b"a\nb\nc\n").ask_openly("?", 2).unwrap(), ["a", "b"]);
        assert!(matches!(
            prompt(b"\n").ask_openly("?", 9),
            Err(SecretError::Ended(_))
        ));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::from("x".to_owned())), "Secret(_)");
    }
}
