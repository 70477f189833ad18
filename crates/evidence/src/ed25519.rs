//! Which Ed25519 public keys are acceptable (RFC 8032, section 5.1).

/// y coordinates of the eight points of small order, with the sign bit cleared. Under such a key, one signature
/// verifies for many messages.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    one_then_zeros(),
    minus_one(),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether a key is canonically encoded and not of small order. That it lies on the curve is found out when a
/// signature is verified.
pub fn is_acceptable(public_key: &[u8; 32]) -> bool {
    let y = without_sign(public_key);
    is_below_prime(&y) && !SMALL_ORDER.contains(&y)
}

fn without_sign(public_key: &[u8; 32]) -> [u8; 32] {
    let mut y = *public_key;
    let [.., last] = &mut y;
    *last &= 0x7f;
    y
}

/// y < 2^255 − 19, little-endian.
fn is_below_prime(y: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = y;
    !(*last == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *first >= 0xed)
}

const fn one_then_zeros() -> [u8; 32] {
    let mut y = [0; 32];
    let [first, ..] = &mut y;
    *first = 1;
    y
}

const fn minus_one() -> [u8; 32] {
    let mut y = [0xff; 32];
    let [first, .., last] = &mut y;
    *first = 0xec;
    *last = 0x7f;
    y
}
