//! Numbers and times in at most five characters.

use std::time::Duration;

/// A count: `7`, `9999`, `12k`, `3M`; rounded down.
pub(crate) fn count(number: u64) -> String {
    let units = [
        (1_000_000_000_000, 'T'),
        (1_000_000_000, 'G'),
        (1_000_000, 'M'),
        (1_000, 'k'),
    ];
    match units.iter().find(|(unit, _)| number >= unit * 10) {
        Some((unit, name)) => format!("{}{name}", number / unit),
        None => number.to_string(),
    }
}

/// A rate: as a count, to the nearest.
pub(crate) fn rate(rate: f64) -> String {
    count(rate.round() as u64) // which saturates
}

/// A time: `-` if there is none, `0`, `12us`, `1.5ms`, `3m`, `40d`; rounded down.
pub(crate) fn time(time: Option<Duration>) -> String {
    let Some(time) = time else {
        return "-".to_owned();
    };
    let nanos = time.as_nanos();
    let units = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    let Some((unit, name)) = units.iter().find(|(unit, _)| nanos >= *unit) else {
        return if nanos == 0 { "0" } else { "<1us" }.to_owned();
    };
    let (whole, tenths) = (nanos / unit, nanos % unit * 10 / unit);
    if whole < 10 {
        format!("{whole}.{tenths}{name}")
    } else {
        format!("{whole}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_their_size() {
        let cases = [
            (0, "0"),
            (9_999, "9999"),
            (10_000, "10k"),
            (9_999_999, "9999k"),
            (10_000_000, "10M"),
            (123_456_789_012, "123G"),
        ];
        for (number, expected) in cases {
            assert_eq!(count(number), expected);
        }
        assert_eq!((rate(0.4), rate(239.6)), ("0".to_owned(), "240".to_owned()));
        assert_eq!(rate(f64::NAN), "0");
    }

    #[test]
    fn times_keep_their_size() {
        let cases = [
            (0, "0"),
            (999, "<1us"),
            (1_000, "1.0us"),
            (1_999_999, "1.9ms"),
            (12_345_678, "12ms"),
            (999_999_999, "999ms"),
            (2_500_000_000, "2.5s"),
            (90_000_000_000, "1.5m"),
            (36_000_000_000_000, "10h"),
            (86_400_000_000_000 * 9_999, "9999d"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(time(Some(Duration::from_nanos(nanos))), expected);
        }
        assert_eq!(time(None), "-");
    }

    #[test]
    fn nothing_is_longer_than_five_characters() {
        let numbers = (0..64).flat_map(|power| [(1_u64 << power) - 1, 1 << power]);
        for number in numbers.take_while(|number| *number < 10_000_000_000_000_000) {
            assert!(count(number).len() <= 5, "{}", count(number));
        }
        let times = (0..60).flat_map(|power| [(1_u64 << power) - 1, 1 << power]);
        for nanos in times {
            let text = time(Some(Duration::from_nanos(nanos)));
            assert!(text.len() <= 5, "{text}");
        }
    }
}
