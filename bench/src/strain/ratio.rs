use std::fmt;

/// The median of some ratios, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    median: f64,
    low: f64,
    high: f64,
}

impl Ratio {
    /// None of none.
    ///
    /// The bounds are two of the ratios themselves. That so many of n lie below the true median is
    /// binomial, whatever their distribution is: n/2 of them, give or take √n/2, so within 1.96 times
    /// that with a probability of 95 %. Of less than six the bounds are the least and the greatest.
    pub fn of(mut ratios: Vec<f64>) -> Option<Self> {
        ratios.sort_unstable_by(f64::total_cmp);
        let count = ratios.len();
        // 0.98 √n, rounded up.
        let spread = (1..).find(|it| it * it * 10_000 >= count * 9_604)?;
        let last = count.checked_sub(1)?;
        let at = |index: usize| ratios.get(index.min(last)).copied();
        Some(Self {
            median: at(count / 2)?,
            low: at((count / 2).saturating_sub(spread))?,
            high: at(count / 2 + spread)?,
        })
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = self;
        write!(f, "{median:.2} ({low:.2} to {high:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_ratios_the_closer_the_bounds() {
        let of = |count: u32| Ratio::of((0..count).rev().map(f64::from).collect());
        assert_eq!(of(0), None);
        let told = |count| of(count).unwrap().to_string();
        assert_eq!(told(1), "0.00 (0.00 to 0.00)");
        assert_eq!(told(3), "1.00 (0.00 to 2.00)");
        assert_eq!(told(25), "12.00 (7.00 to 17.00)");
        assert_eq!(told(100), "50.00 (40.00 to 60.00)");
    }
}
