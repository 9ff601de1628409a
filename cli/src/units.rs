//! Durations and sizes as people write them: `250ms`, `1.5s`, `64KiB`.

use std::time::Duration;

/// A duration with its unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = apart(text);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("a number and its unit is wanted, such as 250ms, 1.5s, 2m or 1h".into()),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

/// A number of octets; without a unit, octets.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = apart(text);
    let factor: usize = match unit {
        "" | "B" => 1,
        "k" | "kB" => 1000,
        "M" | "MB" => 1_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err("octets are wanted, such as 64, 16KiB or 1MiB".into()),
    };
    let number: usize = number.parse().map_err(|_| format!("{number:?} is no whole number"))?;
    number.checked_mul(factor).ok_or_else(|| "that is too large".into())
}

/// The number and what comes after it.
fn apart(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// A duration in three or four figures and the unit that fits.
pub(crate) fn short(duration: Duration) -> String {
    let nanos = duration.as_secs_f64() * 1e9;
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

/// A number in a few figures: `16.8 M`.
pub(crate) fn figures(number: f64) -> String {
    match number {
        n if n < 1e3 => format!("{n:.0} "),
        n if n < 1e6 => format!("{:.1} k", n / 1e3),
        n if n < 1e9 => format!("{:.1} M", n / 1e6),
        n => format!("{:.1} G", n / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "ms", "1.2.3s", "-1s", "1e9s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        // More than there is of time.
        assert!(duration(&format!("{}h", "9".repeat(40))).is_err());
    }

    #[test]
    fn sizes_are_octets() {
        assert_eq!(size("64"), Ok(64));
        assert_eq!(size("16KiB"), Ok(16384));
        assert_eq!(size("2k"), Ok(2000));
        for wrong in ["", "1.5", "1TB", "99999999999999999999"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert!(size(&format!("{}MiB", usize::MAX)).is_err());
    }
}
