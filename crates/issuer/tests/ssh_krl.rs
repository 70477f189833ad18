//! The revocation list: a set that only grows, its encodings, and the file that sshd reads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod ssh_support;

use chancery_issuer::ssh::wire::Writer;
use chancery_issuer::ssh::{AuthorityKey, Krl, KrlError, PublishError};
use proptest::prelude::*;
use ssh_support::subject;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

const OURS: AuthorityKey = AuthorityKey::new([1; 32]);
const NOW: u64 = 1_893_553_445;

fn empty() -> Krl {
    Krl::empty(OURS, NOW, "chancery").unwrap()
}

fn with(serials: impl IntoIterator<Item = u64>) -> Krl {
    let mut list = empty();
    for serial in serials {
        list.revoke(serial).unwrap();
    }
    list
}

#[test]
fn a_list_knows_what_is_on_it() {
    let mut list = with([5, 7, 6, u64::MAX, 1]);
    list.revoke_range(100..=u64::MAX - 5).unwrap();
    list.revoke_key_id("lease/9").unwrap();
    for (serial, key_id, revoked) in [
        (1, "", true),
        (2, "", false),
        (4, "", false),
        (5, "", true),
        (7, "", true),
        (8, "", false),
        (99, "", false),
        (100, "", true),
        (u64::MAX - 5, "", true),
        (u64::MAX - 4, "", false),
        (u64::MAX, "", true),
        (2, "lease/9", true),
        (2, "lease/99", false),
        (0, "", false),
    ] {
        assert_eq!(list.revokes(serial, key_id), revoked, "{serial} {key_id}");
    }
    let runs: Vec<_> = list.serials().collect();
    assert_eq!(runs, [1..=1, 5..=7, 100..=u64::MAX - 5, u64::MAX..=u64::MAX]);
}

#[test]
fn what_openssh_would_choke_on_is_refused() {
    let mut list = empty();
    assert_eq!(list.revoke(0), Err(KrlError::SerialZero));
    assert_eq!(list.revoke_range(0..=5), Err(KrlError::SerialZero));
    #[allow(clippy::reversed_empty_ranges, reason = "the refusal is the point")]
    let backwards = 6..=5;
    assert_eq!(list.revoke_range(backwards), Err(KrlError::EmptyRange(6, 5)));
    for key_id in ["", "a\nb", &*"x".repeat(256)] {
        assert_eq!(list.revoke_key_id(key_id), Err(KrlError::KeyId), "{key_id}");
    }
    assert_eq!(Krl::empty(OURS, NOW, "two\nlines"), Err(KrlError::Comment));
    assert_eq!(Krl::empty(OURS, NOW, &"x".repeat(1025)), Err(KrlError::Comment));
    assert_eq!(list, empty(), "a refusal changes nothing");
}

#[test]
fn numbers_grow_until_there_are_none() {
    let first = with([3]);
    let second = first.next(NOW + 60).unwrap();
    assert_eq!((first.number(), second.number(), second.generated_at()), (0, 1, NOW + 60));
    assert!(second.revokes(3, ""));
    let mut bytes = first.encode().unwrap();
    bytes[12..20].fill(0xff);
    let last = Krl::decode(&bytes, &OURS).unwrap();
    assert_eq!((last.number(), last.next(NOW)), (u64::MAX, Err(KrlError::NumbersUsedUp)));
}

/// Size of the certificates section's parts: everything after the fixed fields.
fn cost(list: &Krl) -> usize {
    list.encode().unwrap().len() - empty().encode().unwrap().len()
}

#[test]
fn the_cheapest_encoding_is_chosen() {
    // section (5), authority key (4 + 51), reserved (4)
    let frame = 64;
    let list = |serials: usize| 5 + 8 * serials;
    let range = 5 + 16;
    let bitmap = |bits: u64| {
        let bytes = usize::try_from(bits.div_ceil(8)).unwrap();
        5 + 8 + 4 + bytes + usize::from(bits.is_multiple_of(8))
    };
    for (name, krl, expected) in [
        ("nothing", empty(), 0),
        ("one", with([9]), frame + list(1)),
        ("the last", with([u64::MAX]), frame + list(1)),
        ("neighbours", with(1..=2), frame + list(2)),
        ("three in a row: the bitmap", with(1..=3), frame + bitmap(3)),
        ("a thousand in a row", with(1..=1000), frame + range),
        ("scattered", with((1..=1000).map(|number| number * 1_000_003)), frame + list(1000)),
        ("every other", with((1..=1000).map(|number| number * 2)), frame + bitmap(1999)),
        (
            "two clouds far apart",
            with((0..64).map(|number| 1 + number * 3).chain((0..64).map(|number| 1 << 60 | (number * 3)))),
            frame + 2 * bitmap(190),
        ),
        (
            "a cloud and a loner",
            with((0..64).map(|number| 1 + number * 3).chain([1 << 60])),
            frame + list(1) + bitmap(190),
        ),
        (
            "longer than one bitmap may be",
            with((0..8192).map(|number| 1 + number * 2)),
            frame + bitmap(8191) * 2,
        ),
    ] {
        assert_eq!(cost(&krl), expected, "{name}");
        assert_eq!(Krl::decode(&krl.encode().unwrap(), &OURS).unwrap(), krl, "{name}");
    }
}

fn encoded(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.finish().unwrap()
}

/// A list whose one certificates section has these parts.
fn with_parts(authority: &[u8], parts: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let section = encoded(|writer| {
        writer.string(authority).string(b"");
        for (kind, part) in parts {
            writer.u8(*kind).string(part);
        }
    });
    let mut bytes = empty().encode().unwrap();
    bytes.extend(encoded(|writer| {
        writer.u8(1).string(&section);
    }));
    bytes
}

fn authority_blob(byte: u8) -> Vec<u8> {
    encoded(|writer| {
        writer.string(b"ssh-ed25519").string(&[byte; 32]);
    })
}

/// Keys of authorities, one after another.
fn retired(numbers: &[u8]) -> Vec<u8> {
    let mut keys = Writer::new();
    for number in numbers {
        keys.string(&authority_blob(*number));
    }
    keys.finish().unwrap()
}

#[test]
fn authorities_are_retired_once() {
    for (name, bytes, words) in [
        (
            "a retired authority",
            encoded(|writer| {
                writer.raw(&empty().encode().unwrap()).u8(2).string(&retired(&[2]));
            }),
            "",
        ),
        (
            "a retired authority twice",
            encoded(|writer| {
                writer.raw(&empty().encode().unwrap()).u8(2).string(&retired(&[2, 2]));
            }),
            "a key twice",
        ),
        (
            "retired authorities in two sections",
            encoded(|writer| {
                let retired = retired(&[2]);
                writer.raw(&empty().encode().unwrap()).u8(2).string(&retired).u8(2).string(&retired);
            }),
            "other than certificates",
        ),
        (
            "a section of certificates signed by fingerprint",
            encoded(|writer| {
                writer.raw(&empty().encode().unwrap()).u8(3).string(b"");
            }),
            "other than certificates",
        ),
    ] {
        let result = Krl::decode(&bytes, &OURS).map(drop).map_err(|error| error.to_string());
        match (words, result) {
            ("", result) => assert_eq!(result, Ok(()), "{name}"),
            (words, Err(error)) => assert!(error.contains(words), "{name}: {error}"),
            (_, Ok(())) => panic!("{name}: accepted"),
        }
    }
}

/// Two authorities on one list: the same serials for both, one retired, and nothing else for a stranger.
#[test]
fn one_list_for_two_authorities() {
    let other = AuthorityKey::new([2; 32]);
    let both = with([4, 9]).of(vec![OURS, other], vec![AuthorityKey::new([3; 32])]);
    let bytes = both.encode().unwrap();
    assert_eq!(Krl::decode(&bytes, &[OURS, other]).unwrap(), both);
    assert!(matches!(Krl::decode(&bytes, &OURS), Err(KrlError::OtherAuthority(_))));
    let theirs = with([4]).of(vec![other], Vec::new()).encode().unwrap();
    let mixed = [with([4, 9]).encode().unwrap(), theirs[empty().encode().unwrap().len()..].to_vec()].concat();
    assert_eq!(
        Krl::decode(&mixed, &[OURS, other]),
        Err(KrlError::Foreign("other certificates of one authority than of another"))
    );
}

#[test]
fn odd_lists_are_refused() {
    let serials = |serials: &[u64]| {
        encoded(|writer| {
            for serial in serials {
                writer.u64(*serial);
            }
        })
    };
    let bitmap = |offset: u64, bits: &[u8]| {
        encoded(|writer| {
            writer.u64(offset).mpint(bits);
        })
    };
    let ours = authority_blob(1);
    let parts = |kind: u8, part: Vec<u8>| with_parts(&ours, &[(kind, part)]);
    let whole = with([4]).encode().unwrap();
    let flipped = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    for (name, bytes, words) in [
        ("good", parts(0x20, serials(&[4])), ""),
        (
            "list, bitmap, range",
            with_parts(&ours, &[(0x20, serials(&[4])), (0x22, bitmap(9, &[5])), (0x21, serials(&[1, 2]))]),
            "",
        ),
        ("empty file", Vec::new(), "not an OpenSSH revocation list"),
        ("magic", flipped(0), "not an OpenSSH revocation list"),
        ("format version", flipped(11), "not an OpenSSH revocation list"),
        ("flags", flipped(35), "flags"),
        (
            "key section",
            encoded(|writer| {
                writer.raw(&empty().encode().unwrap()).u8(2).string(b"");
            }),
            "an empty part",
        ),
        ("zero listed", parts(0x20, serials(&[0])), "serial 0"),
        ("zero in a range", parts(0x21, serials(&[0, 9])), "serial 0"),
        ("zero in a bitmap", parts(0x22, bitmap(0, &[1])), "serial 0"),
        ("backwards", parts(0x21, serials(&[9, 8])), "is empty"),
        ("three numbers in a range", parts(0x21, serials(&[1, 2, 3])), "follow the last field"),
        ("half a serial", parts(0x20, vec![0; 4]), "cut short"),
        ("nothing in a part", parts(0x20, Vec::new()), "an empty part"),
        ("beyond the end", parts(0x22, bitmap(u64::MAX, &[2])), "beyond the last serial"),
        ("bitmap too long", parts(0x22, bitmap(1, &[1; 2049])), "longer than OpenSSH reads"),
        ("unknown part", parts(0x24, serials(&[1])), "unknown way"),
        (
            "another authority",
            with_parts(&authority_blob(2), &[(0x20, serials(&[4]))]),
            "of authority `SHA256:",
        ),
        ("every authority", with_parts(b"", &[(0x20, serials(&[4]))]), "of another kind"),
        (
            "two sections",
            [with([4]).encode().unwrap(), whole[empty().encode().unwrap().len()..].to_vec()].concat(),
            "second section",
        ),
        ("appended", [whole.as_slice(), b"\0"].concat(), "other than certificates"),
    ] {
        let result = Krl::decode(&bytes, &OURS).map(drop).map_err(|error| error.to_string());
        match (words, result) {
            ("", result) => assert_eq!(result, Ok(()), "{name}"),
            (words, Err(error)) => assert!(error.contains(words), "{name}: {error}"),
            (_, Ok(())) => panic!("{name}: accepted"),
        }
    }
}

#[test]
fn a_list_that_is_cut_short_is_refused() {
    let whole = with([4]).encode().unwrap();
    for length in 0..whole.len() {
        let cut = Krl::decode(&whole[..length], &OURS);
        assert!(cut.is_err() || length == empty().encode().unwrap().len(), "cut at {length}");
    }
}

#[test]
fn publishing_only_goes_forward() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revoked.krl");
    assert!(Krl::load(&path, &OURS).unwrap().is_none());
    let first = empty();
    let mut second = first.next(NOW + 1).unwrap();
    second.revoke(4).unwrap();
    let mut rival = first.next(NOW + 1).unwrap();
    rival.revoke(5).unwrap();

    first.publish(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    second.publish(&path).unwrap();
    second.publish(&path).unwrap();
    let older = first.publish(&path);
    assert!(matches!(older, Err(PublishError::Older { published: 1, offered: 0, .. })), "{older:?}");
    let conflict = rival.publish(&path);
    assert!(matches!(conflict, Err(PublishError::Conflict { number: 1, .. })), "{conflict:?}");
    assert_eq!(Krl::load(&path, &OURS).unwrap(), Some(second));
}

#[test]
fn a_file_that_is_not_ours_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revoked.krl");
    let theirs = Krl::empty(AuthorityKey::new([2; 32]), NOW, "").unwrap();
    let mut revoking = theirs.next(NOW).unwrap();
    revoking.revoke(1).unwrap();
    for content in [b"".to_vec(), b"SSHKRL".to_vec(), revoking.encode().unwrap()] {
        fs::write(&path, &content).unwrap();
        let refused = empty().next(NOW).unwrap().publish(&path);
        assert!(matches!(refused, Err(PublishError::Unreadable { .. })), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_failed_step_leaves_the_old_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revoked.krl");
    empty().publish(&path).unwrap();
    // the place of the new list is taken by something that cannot be removed like a file
    fs::create_dir(folder.path().join(".revoked.krl.new")).unwrap();
    let next = empty().next(NOW).unwrap();
    assert!(matches!(next.publish(&path), Err(PublishError::File { .. })));
    assert_eq!(Krl::load(&path, &OURS).unwrap(), Some(empty()));
    fs::remove_dir(folder.path().join(".revoked.krl.new")).unwrap();
    // half a list, left by a publisher that was cut off
    fs::write(folder.path().join(".revoked.krl.new"), b"SSHK").unwrap();
    next.publish(&path).unwrap();
    assert_eq!(Krl::load(&path, &OURS).unwrap(), Some(next.clone()));
    assert!(matches!(next.publish(&folder.path().join("none/revoked.krl")), Err(PublishError::File { .. })));
}

#[test]
fn a_reader_always_sees_a_whole_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revoked.krl");
    empty().publish(&path).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut highest = 0;
            loop {
                // asked first, so that the last list is read too
                let last = done.load(Ordering::SeqCst);
                let list = Krl::load(&path, &OURS).unwrap().expect("never missing");
                assert!(list.number() >= highest, "went back");
                assert_eq!(list.serials().map(|run| run.count()).sum::<usize>() as u64, list.number());
                highest = list.number();
                if last {
                    return highest;
                }
            }
        });
        let mut list = empty();
        for number in 1..=100 {
            list = list.next(NOW + number).unwrap();
            list.revoke(number * 10).unwrap();
            list.publish(&path).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        assert_eq!(reader.join().unwrap(), 100);
    });
}

#[test]
fn of_publishers_at_once_none_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revoked.krl");
    std::thread::scope(|scope| {
        for worker in 0..4_u64 {
            let path = &path;
            scope.spawn(move || {
                let mut list = empty();
                for step in 0..25 {
                    list = list.next(NOW + worker).unwrap();
                    list.revoke(worker * 1000 + step + 1).unwrap();
                    match list.publish(path) {
                        Ok(()) => assert!(Krl::load(path, &OURS).unwrap().unwrap().number() >= list.number()),
                        Err(PublishError::Older { .. } | PublishError::Conflict { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    assert_eq!(Krl::load(&path, &OURS).unwrap().unwrap().number(), 25);
}

/// Serials in clouds, rows and alone, near both ends too.
fn any_serials() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let start =
        prop_oneof![1_u64..300, 1_u64..40_000, any::<u64>().prop_map(|any| any.max(1)), Just(u64::MAX - 20)];
    let length = prop_oneof![4 => Just(0_u64), 3 => 0_u64..5, 1 => 0_u64..10_000];
    prop::collection::vec((start, length), 0..120)
        .prop_map(|runs| runs.into_iter().map(|(first, more)| (first, first.saturating_add(more))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_list_comes_back(runs in any_serials(), key_ids: BTreeSet<u8>, number: u64, at: u64) {
        let mut list = empty();
        for (first, last) in &runs {
            list.revoke_range(*first..=*last).unwrap();
        }
        for key_id in key_ids {
            list.revoke_key_id(&format!("lease/{key_id}")).unwrap();
        }
        let mut bytes = list.encode().unwrap();
        bytes[12..20].copy_from_slice(&number.to_be_bytes());
        bytes[20..28].copy_from_slice(&at.to_be_bytes());
        let decoded = Krl::decode(&bytes, &OURS).unwrap();
        prop_assert_eq!((decoded.number(), decoded.generated_at()), (number, at));
        prop_assert_eq!(decoded.encode().unwrap(), bytes);
        prop_assert!(list.serials().eq(decoded.serials()));
        prop_assert!(list.key_ids().eq(decoded.key_ids()));
        // against the plain meaning of the ranges, at every edge
        for edge in runs.iter().flat_map(|(first, last)| [first - 1, *first, *last, last.saturating_add(1)]) {
            let expected = runs.iter().any(|(first, last)| (*first..=*last).contains(&edge));
            prop_assert_eq!(decoded.revokes(edge, ""), expected, "{}", edge);
        }
    }

    #[test]
    fn no_encoding_beats_ours_by_much(runs in any_serials()) {
        let mut list = empty();
        for (first, last) in &runs {
            list.revoke_range(*first..=*last).unwrap();
        }
        // the best of: everything listed or in ranges, run by run; one bitmap over everything
        let alone: usize = list.serials().map(|run| {
            let length = (run.end() - run.start()).saturating_add(1);
            usize::try_from(length.saturating_mul(8).min(21)).unwrap()
        }).sum();
        prop_assert!(cost(&list) <= 64 + 5 + alone);
        let ends = list.serials().fold(None, |ends: Option<(u64, u64)>, run| {
            Some((ends.map_or(*run.start(), |(first, _)| first), *run.end()))
        });
        if let Some((first, last)) = ends && last - first < 8192 {
            let bitmap = usize::try_from((last - first) / 8 + 1).unwrap();
            prop_assert!(cost(&list) <= 64 + 5 + 18 + bitmap);
        }
    }

    #[test]
    fn reading_never_panics(bytes: Vec<u8>, parts in prop::collection::vec((0x1f_u8..0x25, any::<Vec<u8>>()), 0..3)) {
        let _ = Krl::decode(&bytes, &OURS);
        let _ = Krl::decode(&with_parts(&authority_blob(1), &parts), &OURS);
    }
}

#[test]
fn the_authority_is_written_as_a_key() {
    let line = OURS.line("");
    assert_eq!(line, subject(1).line());
}
