//! The SSH encoding of RFC 4251 section 5: its own examples, every refusal, and round trips.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use chancery_issuer::ssh::wire::{Reader, WireError, Writer};
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.finish().unwrap()
}

#[test]
fn integers_of_the_specification() {
    // RFC 4251 section 5, the examples of natural numbers; the magnitude on the left may have needless zeros
    for (magnitude, bytes) in [
        (&[][..], &[0, 0, 0, 0][..]),
        (&[0, 0], &[0, 0, 0, 0]),
        (
            &[0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
            &[0, 0, 0, 8, 0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
        ),
        (&[0x80], &[0, 0, 0, 2, 0x00, 0x80]),
        (&[0, 0x80], &[0, 0, 0, 2, 0x00, 0x80]),
        (&[0x7f], &[0, 0, 0, 1, 0x7f]),
    ] {
        assert_eq!(
            written(|writer| {
                writer.mpint(magnitude);
            }),
            bytes,
            "{magnitude:?}"
        );
    }
}

#[test]
fn integers_have_one_encoding() {
    for (bytes, result) in [
        (&[0, 0, 0, 0][..], Ok(&[][..])),
        (&[0, 0, 0, 2, 0, 0x80], Ok(&[0x80][..])),
        (&[0, 0, 0, 1, 0], Err(WireError::NotMinimal)),
        (&[0, 0, 0, 2, 0, 0x7f], Err(WireError::NotMinimal)),
        (&[0, 0, 0, 3, 0, 0, 0x80], Err(WireError::NotMinimal)),
        // the specification's −1234 and −deadbeef
        (&[0, 0, 0, 2, 0xed, 0xcc], Err(WireError::Negative)),
        (&[0, 0, 0, 5, 0xff, 0x21, 0x52, 0x41, 0x11], Err(WireError::Negative)),
        (&[0, 0, 0, 2, 1], Err(WireError::CutShort)),
    ] {
        assert_eq!(Reader::new(bytes).mpint(), result, "{bytes:?}");
    }
}

#[test]
fn strings_end_where_they_say() {
    for (bytes, result) in [
        (&[0, 0, 0, 7, b't', b'e', b's', b't', b'i', b'n', b'g'][..], Ok("testing")),
        (&[0, 0, 0, 0], Ok("")),
        (&[0, 0, 0], Err(WireError::CutShort)),
        (&[0, 0, 0, 2, b'a'], Err(WireError::CutShort)),
        (&[0xff, 0xff, 0xff, 0xff, b'a'], Err(WireError::CutShort)),
        (&[0, 0, 0, 1, 0xff], Err(WireError::NotText)),
    ] {
        assert_eq!(Reader::new(bytes).text(), result, "{bytes:?}");
    }
}

#[test]
fn what_is_left_over_is_refused() {
    let mut reader = Reader::new(&[0, 0, 0, 1, 9, 8]);
    assert_eq!(reader.u32(), Ok(1));
    assert_eq!(reader.clone().finish(), Err(WireError::Trailing(2)));
    assert_eq!((reader.u8(), reader.u8()), (Ok(9), Ok(8)));
    assert_eq!((reader.u8(), reader.clone().u64()), (Err(WireError::CutShort), Err(WireError::CutShort)));
    assert_eq!(reader.finish(), Ok(()));
}

proptest! {
    #[test]
    fn every_field_comes_back(byte: u8, word: u32, long: u64, string: Vec<u8>, magnitude: Vec<u8>) {
        let bytes = written(|writer| {
            writer.u8(byte).u32(word).u64(long).string(&string).mpint(&magnitude);
        });
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.u8(), Ok(byte));
        prop_assert_eq!(reader.u32(), Ok(word));
        prop_assert_eq!(reader.u64(), Ok(long));
        prop_assert_eq!(reader.string(), Ok(string.as_slice()));
        let significant = magnitude.iter().position(|digit| *digit != 0).unwrap_or(magnitude.len());
        prop_assert_eq!(reader.mpint(), Ok(&magnitude[significant..]));
        prop_assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn whatever_is_read_is_written_the_same(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut framed = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        framed.extend_from_slice(&bytes);
        if let Ok(magnitude) = Reader::new(&framed).mpint() {
            prop_assert_eq!(written(|writer| { writer.mpint(magnitude); }), framed);
        }
    }
}
