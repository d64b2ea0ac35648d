//! The value of `grpc-timeout`: a number of at most eight digits, and its unit.

use std::time::Duration;

/// Most that eight digits say.
const MOST: u128 = 99_999_999;

/// In the finest unit from microseconds on that has room for it, rounded up: a target gives up no sooner than we do.
pub fn timeout(left: Duration) -> String {
    let micros = left.as_nanos().div_ceil(1_000).max(1);
    let units = [
        (1, 'u'),
        (1_000, 'm'),
        (1_000_000, 'S'),
        (60_000_000, 'M'),
        (3_600_000_000, 'H'),
    ];
    let each = units.map(|(micro, unit)| (micros.div_ceil(micro), unit));
    let fitting = each.into_iter().find(|(count, _)| *count <= MOST);
    let (count, unit) = fitting.unwrap_or((MOST, 'H'));
    format!("{count}{unit}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_finest_unit_that_has_room() {
        for (left, value) in [
            (Duration::ZERO, "1u"),
            (Duration::from_nanos(1_001), "2u"),
            (Duration::from_millis(250), "250000u"),
            (Duration::from_micros(99_999_999), "99999999u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_secs(100_000_000), "1666667M"),
            (Duration::MAX, "99999999H"),
        ] {
            assert_eq!(timeout(left), value);
        }
    }

    proptest! {
        #[test]
        fn never_less_than_is_left_nor_much_more(left: u64) {
            let value = timeout(Duration::from_nanos(left));
            let (digits, unit) = value.split_at(value.len() - 1);
            prop_assert!((1..=8).contains(&digits.len()));
            let unit: u128 = match unit {
                "u" => 1_000,
                "m" => 1_000_000,
                "S" => 1_000_000_000,
                "M" => 60_000_000_000,
                _ => 3_600_000_000_000,
            };
            let told = digits.parse::<u128>().unwrap() * unit;
            prop_assert!(told >= u128::from(left) && told <= u128::from(left) + unit);
        }
    }
}
