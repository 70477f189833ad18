//! A reader of CBOR (RFC 8949) of nothing but lengths, to hold the product's against: one item, every length said
//! beforehand, text in UTF-8.

/// Whether the bytes are exactly one item.
pub fn is_one_item(bytes: &[u8]) -> bool {
    after_items(bytes, 1).is_some_and(<[u8]>::is_empty)
}

/// What follows so many items.
fn after_items(bytes: &[u8], count: u64) -> Option<&[u8]> {
    let (mut rest, mut left) = (bytes, u128::from(count));
    while left > 0 {
        let (head, argument, after) = read_head(rest)?;
        left = left - 1 + inside(head, argument);
        rest = match head >> 5 {
            2 => after.split_at_checked(usize::try_from(argument).ok()?)?.1,
            3 => {
                let (text, after) = after.split_at_checked(usize::try_from(argument).ok()?)?;
                std::str::from_utf8(text).ok()?;
                after
            }
            _ => after,
        };
    }
    Some(rest)
}

/// How many items stand inside one with this head.
fn inside(head: u8, argument: u64) -> u128 {
    match head >> 5 {
        4 => u128::from(argument),
        5 => 2 * u128::from(argument),
        6 => 1,
        _ => 0,
    }
}

/// The first byte of an item, its argument, and what follows both.
fn read_head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (head, rest) = bytes.split_first()?;
    let length = match head & 0x1f {
        short @ 0..24 => return Some((*head, u64::from(short), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(length)?;
    let argument = argument.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    // A simple value below 32 is written in the head itself.
    (*head != 0xf8 || argument >= 32).then_some((*head, argument, rest))
}
