//! Times as people read them.

const MS_PER_DAY: u64 = 86_400_000;

/// A time in milliseconds since the Unix epoch as ISO 8601 in UTC, e.g. `2014-06-22T16:36:25.448Z`.
pub(crate) fn iso8601(ms: u64) -> String {
    let (year, month, day) = civil(ms / MS_PER_DAY);
    let ms = ms % MS_PER_DAY;
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let ms = ms % 1000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of the Gregorian calendar, of a day counted from 1970-01-01.
///
/// It counts in years that begin in March: the leap day is then a year's last, and the months
/// before it have lengths that a line of slope 153/5 gives (153 days in each five months). After
/// `civil_from_days` in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: u64) -> (u64, u64, u64) {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: u64 = 719_468;
    const DAYS_PER_ERA: u64 = 146_097; // 400 years, after which the calendar repeats

    let days = days + EPOCH;
    let era = days / DAYS_PER_ERA;
    let day_of_era = days % DAYS_PER_ERA;
    let leap_days = day_of_era / 1460 + day_of_era / 146_096 - day_of_era / 36_524;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let (month, years_since_march) = match months_since_march {
        0..10 => (months_since_march + 3, 0),
        _ => (months_since_march - 9, 1),
    };
    (era * 400 + year_of_era + years_since_march, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_403_454_985_448, "2014-06-22T16:36:25.448Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso8601(ms), text);
        }
    }

    #[test]
    fn every_day_follows_the_one_before_it() {
        let mut yesterday = civil(0);
        for day in 1..2 * 146_097 {
            let (year, month, date) = yesterday;
            let today = civil(day);
            let next_month = if month == 12 {
                (year + 1, 1, 1)
            } else {
                (year, month + 1, 1)
            };
            assert!(
                today == (year, month, date + 1) || today == next_month,
                "{today:?}"
            );
            assert!(
                date < 28 || today.2 <= days_in(today.0, today.1),
                "{today:?}"
            );
            assert!(
                today.2 != 1 || date == days_in(year, month),
                "{yesterday:?} is no month's last"
            );
            yesterday = today;
        }
    }

    #[test]
    fn no_time_overflows() {
        assert!(iso8601(u64::MAX).starts_with("584556019-04-03T14:25:51"));
    }

    fn days_in(year: u64, month: u64) -> u64 {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}
