//! The control: a reader with a bug, which replay and fuzzer must find.

use crate::Target;

/// Fails on any text that begins with `seal` (its corpus has none), as a reader would that trusts what it reads.
pub const PLANTED: Target = Target { name: "planted", run: planted, longest: 64 };

fn planted(bytes: &[u8]) -> bool {
    // One letter after the other, so that a fuzzer that is guided by branches finds its way.
    for (at, letter) in b"seal".iter().enumerate() {
        if bytes.get(at) != Some(letter) {
            return true;
        }
    }
    unreachable!("the planted bug was reached")
}
