//! Walking over binary values without reading them: no recursion, and no memory beyond one counter
//! for each level of nesting.

use super::{ARGUMENTS_DEPTH, Elements, Malformed};

/// What begins at a position.
pub(super) enum Head {
    /// A value that ends at this position.
    Leaf(usize),
    /// So many values follow from this position on.
    Items {
        next: usize,
        count: u64,
    },
    /// Values follow, up to a break. Must there be an even number of them, as in a map?
    Open {
        next: usize,
        pairs: bool,
    },
    Break(usize),
    /// A mark that stands before one value and does not count as one.
    Prefix(usize),
}

pub(super) trait BinaryFormat {
    /// What begins at `position`; an error where the input ends or no value can begin.
    fn head(input: &[u8], position: usize) -> Result<Head, Malformed>;

    /// How many elements the array at the start of the input has (none: up to a break), and where
    /// the first is.
    fn array(input: &[u8]) -> Result<(Option<u64>, usize), Malformed>;
}

enum Level {
    Counted(u64),
    Open { pairs: bool, odd: bool },
}

pub(super) fn split<F: BinaryFormat>(frame: &[u8]) -> Result<Elements, Malformed> {
    let (count, mut position) = F::array(frame)?;
    let mut elements = Elements::new();
    let mut left = count;
    loop {
        match &mut left {
            Some(0) => break,
            Some(left) => *left -= 1,
            None => {
                if let Head::Break(end) = F::head(frame, position)? {
                    position = end;
                    break;
                }
            }
        }
        let end = skip::<F>(frame, position)?;
        elements.push(position..end);
        position = end;
    }
    if position == frame.len() {
        Ok(elements)
    } else {
        Err(Malformed::Syntax)
    }
}

/// Where the value that begins at `position` ends.
fn skip<F: BinaryFormat>(input: &[u8], mut position: usize) -> Result<usize, Malformed> {
    let mut levels: Vec<Level> = Vec::new();
    loop {
        match F::head(input, position)? {
            Head::Prefix(next) => {
                position = next;
                continue;
            }
            Head::Break(next) => match levels.pop() {
                Some(Level::Open { pairs, odd }) if !(pairs && odd) => position = next,
                _ => return Err(Malformed::Syntax),
            },
            Head::Leaf(next) => position = next,
            Head::Items { next, count } => {
                position = next;
                if count > 0 {
                    descend(&mut levels, Level::Counted(count))?;
                    continue;
                }
            }
            Head::Open { next, pairs } => {
                position = next;
                descend(&mut levels, Level::Open { pairs, odd: false })?;
                continue;
            }
        }
        // A value has ended, and with it every level whose last it was.
        loop {
            match levels.last_mut() {
                None => return Ok(position),
                Some(Level::Counted(left)) => {
                    *left -= 1;
                    if *left > 0 {
                        break;
                    }
                    levels.pop();
                }
                Some(Level::Open { odd, .. }) => {
                    *odd = !*odd;
                    break;
                }
            }
        }
    }
}

fn descend(levels: &mut Vec<Level>, level: Level) -> Result<(), Malformed> {
    if levels.len() >= ARGUMENTS_DEPTH {
        return Err(Malformed::TooDeep);
    }
    levels.push(level);
    Ok(())
}

/// The end of a leaf: `length` octets from `position` on, if the input has them.
pub(super) fn leaf(input: &[u8], position: usize, length: u64) -> Result<Head, Malformed> {
    usize::try_from(length)
        .ok()
        .and_then(|length| position.checked_add(length))
        .filter(|end| *end <= input.len())
        .map(Head::Leaf)
        .ok_or(Malformed::Syntax)
}

/// A big-endian number of `octets` octets (at most 8) at `position`, and where it ends.
pub(super) fn big_endian(
    input: &[u8],
    position: usize,
    octets: usize,
) -> Result<(u64, usize), Malformed> {
    let end = position + octets;
    let number = input.get(position..end).ok_or(Malformed::Syntax)?;
    Ok((
        number
            .iter()
            .fold(0, |number, octet| number << 8 | u64::from(*octet)),
        end,
    ))
}
