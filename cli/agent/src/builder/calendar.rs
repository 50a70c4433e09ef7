//! The calendar's name for a moment, as sshd reads it.

/// `20261130084500Z`, of seconds since 1970. A line of a later moment is greater as text.
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March have their leap day last.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_name() {
        assert_eq!(utc(0), "19700101000000Z");
        assert_eq!(utc(951_782_399), "20000228235959Z");
        assert_eq!(utc(951_782_400), "20000229000000Z");
        assert_eq!(utc(1_709_251_199), "20240229235959Z");
        assert_eq!(utc(1_764_486_245), "20251130070405Z");
        assert_eq!(utc(4_107_542_400), "21000301000000Z");
    }
}
