//! How much work the engine's parser has with a module, before it is given one.
//!
//! At every `[` and `{` it tries a comprehension first and begins anew when there is none, so what stands inside is
//! read twice: each level of brackets doubles the work, and 20 of them take a minute.

/// The most work that all modules of a bundle may make. The default bundle makes 4,000; a parser on a slow machine does
/// the most in some seconds.
pub const MAX_WORK: u64 = 1 << 20;

/// Every bracket counts 2 to the power of its depth.
pub fn work(text: &str) -> u64 {
    let (mut depth, mut work) = (0_u32, 0_u64);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' | b'(' => {
                depth = depth.saturating_add(1);
                work = work.saturating_add(2_u64.saturating_pow(depth));
            }
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b'#' => drop(bytes.find(|byte| *byte == b'\n')),
            b'`' => drop(bytes.find(|byte| *byte == b'`')),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    work
}

/// To the end of a string whose quote was read. One that does not end is refused by the parser there.
fn skip_string(bytes: &mut impl Iterator<Item = u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}
