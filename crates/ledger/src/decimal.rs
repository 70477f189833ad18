//! Decimal numbers as the C2SP formats write them: ASCII digits, no sign, no leading zero except in `0`.

/// Parses a canonical decimal; `None` if it is anything else or does not fit 64 bits.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}
