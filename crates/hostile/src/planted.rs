//! The control: a reader with a bug, which replay and fuzzer must find.

use crate::Target;

/// Fails on any text that holds `seal` (its corpus has none), as a reader would that trusts what it reads.
pub const PLANTED: Target = Target { name: "planted", run: planted, longest: 64 };

fn planted(bytes: &[u8]) -> bool {
    let letters = b"seal";
    let mut found = 0;
    // One letter after the other, so that a fuzzer that is guided by branches finds its way.
    for letter in letters {
        if bytes.get(found) == Some(letter) {
            found += 1;
        }
    }
    assert!(found < letters.len(), "the planted bug was reached");
    true
}
