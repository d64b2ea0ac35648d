//! Durations and sizes as people write them (`250ms`, `5m`, `64KiB`), read exactly and shown in their shortest form.
//! Used by every setting that has a unit and by `vespeiro serve`.
//!
//! What must stay true: what is shown reads back as the same value.

use std::time::Duration;

use crate::errors::ValueError;

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
/// The longest pause that the contract lets a step ask for.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
pub(crate) const LONGEST_RUN: Duration = Duration::from_secs(366 * 24 * 3600);
pub(crate) const GIB: u64 = 1 << 30;

/// What a number without a unit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultUnit {
    Milliseconds,
    Seconds,
}

/// In milliseconds.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// In bytes.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

/// Reads `250ms`, `30s`, `1.5m`, `1h30m` or a bare number.
///
/// # Errors
/// A text that is no duration, is finer than a millisecond, or is longer than an u64 of milliseconds.
pub fn parse_duration(text: &str, bare: DefaultUnit) -> Result<Duration, ValueError> {
    let bare = match bare {
        DefaultUnit::Milliseconds => 1,
        DefaultUnit::Seconds => 1000,
    };
    let whole = scaled(text, &TIMES, bare).or_else(|| compound(text));
    whole.map(Duration::from_millis).ok_or_else(|| {
        ValueError::new(
            format!("{text:?} is no duration in whole milliseconds"),
            "write it as 250ms, 30s, 5m, 1h or 1h30m",
        )
    })
}

/// The shortest form with one unit, to the millisecond.
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    // A lone 0 could mean any unit; `0s` reads best.
    if millis == 0 {
        "0s".to_owned()
    } else {
        shortest(millis, &TIMES)
    }
}

/// Reads `64KiB`, `1.5MiB`, `10MB` or bare bytes; the case of the unit does not matter.
///
/// # Errors
/// A text that is no size, is no whole number of bytes, or is more than an u64 of bytes.
pub fn parse_size(text: &str) -> Result<u64, ValueError> {
    scaled(text, &SIZES, 1).ok_or_else(|| {
        ValueError::new(
            format!("{text:?} is no size in whole bytes"),
            "write it as 65536, 64KiB, 1MiB or 10MB",
        )
    })
}

/// The shortest form with one unit.
pub fn show_size(bytes: u64) -> String {
    shortest(bytes, &SIZES)
}

/// Reads `<number><unit>` exactly: no float is involved, so `0.1s` is 100 ms and what does not divide is refused.
fn scaled(text: &str, units: &[(&str, u64)], bare: u64) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "" => bare,
        unit => {
            units
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
                .1
        }
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let parts = u128::from(unit).checked_mul(fraction.parse().ok()?)?;
    let scale = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    if parts % scale != 0 {
        return None;
    }
    let total = u128::from(unit)
        .checked_mul(whole.parse().ok()?)?
        .checked_add(parts / scale)?;
    u64::try_from(total).ok()
}

/// Reads parts with smaller and smaller units, such as `1h30m`, in milliseconds.
fn compound(text: &str) -> Option<u64> {
    let (mut rest, mut total, mut last) = (text.trim(), 0u64, u64::MAX);
    while !rest.is_empty() {
        let number = rest.find(|c: char| c.is_alphabetic())?;
        let unit = &rest[number..];
        let length = unit.find(|c: char| !c.is_alphabetic());
        let length = length.unwrap_or(unit.len());
        let name = &unit[..length];
        let size = TIMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let size = size.filter(|(_, size)| *size < last)?.1;
        total = total.checked_add(scaled(&rest[..number + length], &TIMES, size)?)?;
        (rest, last) = (unit[length..].trim_start(), size);
    }
    (last < u64::MAX).then_some(total)
}

fn shortest(amount: u64, units: &[(&str, u64)]) -> String {
    units
        .iter()
        .filter(|(_, unit)| amount.is_multiple_of(*unit))
        .min_by_key(|(_, unit)| amount / unit)
        .map_or_else(
            || amount.to_string(),
            |(name, unit)| format!("{}{name}", amount / unit),
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let read = |text, bare| parse_duration(text, bare).map(|d| d.as_millis()).ok();
        for (text, millis) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("250ms", 250),
            ("1.5s", 1500),
            ("0.1s", 100),
            (" 2 s ", 2000),
            ("1H", 3_600_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("1m30s", 90_000),
            ("2h0m5s250ms", 7_205_250),
            ("1h1.5m", 3_690_000),
            ("0", 0),
        ] {
            assert_eq!(read(text, DefaultUnit::Seconds), Some(millis), "{text}");
        }
        assert_eq!(read("3600", DefaultUnit::Seconds), Some(3_600_000));
        assert_eq!(read("100", DefaultUnit::Milliseconds), Some(100));
        for text in [
            "",
            "s",
            "-1s",
            "1d",
            "30m1h",
            "1h1h",
            "1h30",
            "1h-30m",
            "1h30m5",
            "1m30x",
            "h30m",
            "1.5ms",
            "1.",
            ".5s",
            "1e3",
            "5 0s",
            "99999999999999999999h",
            "٣s",
        ] {
            assert_eq!(read(text, DefaultUnit::Seconds), None, "{text}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("1MiB", 1 << 20),
            ("10MB", 10_000_000),
            ("1gib", 1 << 30),
            ("7", 7),
            ("0.5kB", 500),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "1M",
            "MiB",
            "-5",
            "1.0001kB",
            "1TiB",
            "99999999999999999999",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shown_in_the_shortest_form() {
        assert_eq!(show_duration(Duration::from_secs(3600)), "1h");
        assert_eq!(show_duration(Duration::from_millis(1500)), "1500ms");
        assert_eq!(show_duration(Duration::ZERO), "0s");
        assert_eq!(show_size(1 << 20), "1MiB");
        assert_eq!(show_size(64_000_000), "64MB");
        assert_eq!(show_size(1001), "1001B");
    }

    proptest! {
        #[test]
        fn the_parts_of_a_duration_add_up(hours in 0..999u64, minutes in 0..999u64, seconds in 0..999u64) {
            let text = format!("{hours}h{minutes}m{seconds}s");
            let expected = Duration::from_secs(hours * 3600 + minutes * 60 + seconds);
            prop_assert_eq!(parse_duration(&text, DefaultUnit::Milliseconds), Ok(expected));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[0-9hms. é٣-]{0,12}") {
            let _ = parse_duration(&text, DefaultUnit::Seconds);
        }

        #[test]
        fn a_shown_duration_reads_back(millis: u64) {
            let duration = Duration::from_millis(millis);
            for bare in [DefaultUnit::Milliseconds, DefaultUnit::Seconds] {
                prop_assert_eq!(parse_duration(&show_duration(duration), bare), Ok(duration));
            }
        }

        #[test]
        fn a_shown_size_reads_back(bytes: u64) {
            prop_assert_eq!(parse_size(&show_size(bytes)), Ok(bytes));
        }

        #[test]
        fn no_text_panics(text in "\\PC*", number in "[0-9.]{0,60}(ms|s|h|KiB|GB)?") {
            for text in [text, number] {
                let _ = parse_duration(&text, DefaultUnit::Seconds);
                let _ = parse_size(&text);
            }
        }
    }
}
