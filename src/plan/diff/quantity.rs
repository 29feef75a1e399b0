//! Quantities, such as `500m`, `1Gi` or `1e3`: when two of them are the same amount.
//!
//! The grammar is that of the API type `resource.Quantity`.

use serde_json::Value;

/// Tells whether two values are the same amount; what is no quantity is only equal to itself.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (amount(a), amount(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The amount in billionths, rounded up; none if it is no quantity, or too large.
pub(in crate::plan) fn billionths(value: &Value) -> Option<i128> {
    let Amount { digits, exponent } = amount(value)?;
    let power = |by: i32| 10_i128.checked_pow(u32::try_from(by).ok()?);
    match exponent.checked_add(9)? {
        by if by >= 0 => digits.checked_mul(power(by)?),
        by => {
            let divisor = power(by.checked_neg()?)?;
            Some(digits / divisor + i128::from(digits % divisor > 0))
        }
    }
}

/// `digits * 10^exponent`, with as few digits as possible.
#[derive(Debug, PartialEq, Eq)]
struct Amount {
    digits: i128,
    exponent: i32,
}

impl Amount {
    fn new(mut digits: i128, mut exponent: i32) -> Self {
        if digits == 0 {
            return Self {
                digits,
                exponent: 0,
            };
        }
        while digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self { digits, exponent }
    }
}

fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        _ => None,
    }
}

fn parse(text: &str) -> Option<Amount> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (factor, exponent) = scale(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    Some(Amount::new(
        digits.checked_mul(factor)?,
        exponent.checked_sub(places)?,
    ))
}

/// The factor and the power of ten that a suffix stands for.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    let binary = |power: u32| Some((1_i128 << (10 * power), 0));
    match suffix {
        "" => Some((1, 0)),
        "n" => Some((1, -9)),
        "u" => Some((1, -6)),
        "m" => Some((1, -3)),
        "k" => Some((1, 3)),
        "M" => Some((1, 6)),
        "G" => Some((1, 9)),
        "T" => Some((1, 12)),
        "P" => Some((1, 15)),
        "E" => Some((1, 18)),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            Some((1, exponent.parse().ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_can_be_added_up() {
        for (text, expected) in [
            ("1", Some(1_000_000_000)),
            ("500m", Some(500_000_000)),
            ("1Ki", Some(1_024_000_000_000)),
            ("1e3", Some(1_000_000_000_000)),
            ("0.5n", Some(1)),
            ("1e40", None),
            ("many", None),
        ] {
            assert_eq!(super::billionths(&text.into()), expected, "{text}");
        }
    }

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_same(a: impl Into<Value>, b: impl Into<Value>) {
        let (a, b) = (a.into(), b.into());
        assert!(same(&a, &b) && same(&b, &a), "{a} and {b}");
    }

    #[track_caller]
    fn check_differs(a: impl Into<Value>, b: impl Into<Value>) {
        let (a, b) = (a.into(), b.into());
        assert!(!same(&a, &b) && !same(&b, &a), "{a} and {b}");
    }

    #[test]
    fn compares_amounts() {
        check_same("1000m", "1");
        check_same("0.5", "500m");
        check_same("1Gi", "1024Mi");
        check_same("0.5Gi", "512Mi");
        check_same(1, "1");
        check_same(0.5, "500m");
        check_same("1e3", "1k");
        check_same("1E3", "1000");
        check_same("1E", "1000P");
        check_same("-1", "-1000m");
        check_same("+1", "1");
        check_same("0", "0Gi");
        check_same(".5", "500m");
        check_same("5.", "5");
        check_same("100u", "100000n");
        check_differs("1G", "1Gi");
        check_differs("1", "2");
        check_differs("1m", "1M");
    }

    #[test]
    fn leaves_other_text_alone() {
        check_same("one", "one");
        check_differs("one", "two");
        check_differs("", "0");
        check_differs("1x", "1");
        check_same("1.2.3", "1.2.3");
        check_same("9".repeat(60), "9".repeat(60));
        check_differs("9".repeat(60), "8".repeat(60));
        check_differs("1e9999999999", "1");
        check_same("1e2147483647", "10e2147483646");
        check_differs(json!({}), json!(null));
    }
}
