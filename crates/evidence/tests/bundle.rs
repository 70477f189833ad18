//! The container: what is written comes back, foreign zips of the same files are read, all else is refused.

use std::io::{Cursor, Write};

use chancery_evidence::bundle::{BundleFiles, pack, unpack};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn files() -> BundleFiles {
    BundleFiles::from([
        ("evidence.json".to_owned(), b"{}".to_vec()),
        ("leaves/10.json".to_owned(), b"ten".repeat(200)),
        ("leaves/9.json".to_owned(), Vec::new()),
    ])
}

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
fn foreign(method: CompressionMethod, order: &[&str]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for path in order {
        writer.start_file(*path, options).unwrap();
        writer.write_all(&files()[*path]).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[expect(clippy::expect_used, reason = "test code fails by panicking")]
#[track_caller]
fn check_refused(what: &str, zip: &[u8], message: &str) {
    let refusal = unpack(zip).expect_err(what).to_string();
    assert!(refusal.contains(message), "{what}: {refusal}");
}

/// Where a signature of a zip record stands for the n-th time.
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
fn record(zip: &[u8], signature: &[u8; 4], nth: usize) -> usize {
    let at = |at: &usize| zip[*at..].starts_with(signature);
    (0..zip.len()).filter(at).nth(nth).unwrap()
}

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";

#[test]
fn the_same_files_give_the_same_bytes_and_come_back() {
    let zip = pack(&files()).unwrap();
    assert_eq!(zip, pack(&files()).unwrap());
    assert_eq!(unpack(&zip).unwrap(), files());
}

#[test]
fn a_foreign_reader_reads_ours_and_we_read_foreign_ones() {
    let mut archive = zip::ZipArchive::new(Cursor::new(pack(&files()).unwrap())).unwrap();
    assert_eq!(archive.len(), 3);
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_name("leaves/10.json").unwrap(), &mut text).unwrap();
    assert_eq!(text, files()["leaves/10.json"]);
    let order = ["leaves/9.json", "evidence.json", "leaves/10.json"];
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        assert_eq!(unpack(&foreign(method, &order)).unwrap(), files(), "{method:?}");
    }
}

#[test]
fn no_flipped_bit_changes_a_file_unseen() {
    let deflated =
        foreign(CompressionMethod::Deflated, &["evidence.json", "leaves/10.json", "leaves/9.json"]);
    for zip in [pack(&files()).unwrap(), deflated] {
        for at in 0..zip.len() {
            for bit in 0..8 {
                let mut flipped = zip.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(read) = unpack(&flipped) {
                    assert_eq!(read, files(), "byte {at}, bit {bit}");
                }
            }
        }
        for length in 0..zip.len() {
            assert!(unpack(&zip[..length]).is_err(), "cut at {length}");
        }
    }
}

#[test]
fn what_two_readers_could_understand_differently_is_refused() {
    let zip = pack(&files()).unwrap();
    let change = |at: usize, bytes: &[u8]| {
        let mut changed = zip.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let local = record(&zip, LOCAL, 0);
    let central = record(&zip, CENTRAL, 0);
    let end = record(&zip, END, 0);
    check_refused("empty", b"", "not a zip");
    check_refused("not a zip", b"evidence of nothing, in no container", "not a zip");
    check_refused("prefix", &[b"#!/bin/sh\n".as_slice(), &zip].concat(), "belong to no file");
    check_refused("suffix", &[zip.as_slice(), b"more"].concat(), "not a zip");
    check_refused("local name", &change(local + 30, b"E"), "another name");
    check_refused("local checksum", &change(local + 14, b"\0\0\0\0"), "another checksum");
    check_refused("local size", &change(local + 22, b"\x09"), "another size");
    check_refused("local method", &change(local + 8, b"\x08"), "another method");
    check_refused("local flags", &change(local + 6, b"\x02"), "another version or flags");
    check_refused("encrypted", &change(central + 8, b"\x01"), "encryption");
    check_refused("sizes after the data", &change(central + 8, b"\x08"), "sizes after the data");
    check_refused("other method", &change(central + 10, b"\x0c"), "a compression other");
    check_refused("disk", &change(central + 34, b"\x01"), "several disks");
    check_refused("link", &change(central + 38, &0xA1FF_0000_u32.to_le_bytes()), "not a plain file");
    check_refused("directory", &change(central + 38, &0x10_u32.to_le_bytes()), "not a plain file");
    check_refused("zip64", &change(central + 24, &[0xff; 4]), "zip64");
    check_refused("fewer entries", &change(end + 8, b"\x02\0\x02\0"), "belong to no file");
    check_refused("two disks", &change(end + 4, b"\x01"), "several disks");
    for name in
        ["/tmp/e.json", "..\\nce.json", "evidence.jso/", "../ence.json", "a//ence.json", "evid\0nce.json"]
    {
        let mut name = name.as_bytes().to_vec();
        name.resize(13, b'x');
        let mut changed = change(local + 30, &name);
        changed[central + 46..central + 59].copy_from_slice(&name);
        assert!(unpack(&changed).is_err(), "{name:?}");
    }
    let data = record(&zip, LOCAL, 1);
    let mut gap = zip.clone();
    gap.splice(data..data, *b"hidden");
    assert!(unpack(&gap).is_err(), "bytes between entries");
}

#[test]
fn duplicates_are_refused_in_any_case() {
    let zip = pack(&BundleFiles::from([
        ("a.json".to_owned(), b"1".to_vec()),
        ("b.json".to_owned(), b"2".to_vec()),
    ]))
    .unwrap();
    for twin in [b'a', b'A'] {
        let changed: Vec<u8> = zip.iter().map(|byte| if *byte == b'b' { twin } else { *byte }).collect();
        check_refused("duplicate", &changed, "occurs twice");
    }
}

#[test]
fn bombs_are_refused_before_they_unpack() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("zeros.bin", SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))
        .unwrap();
    writer.write_all(&vec![0; 3_000_000]).unwrap();
    check_refused("bomb", &writer.finish().unwrap().into_inner(), "times its size");

    let mut honest = foreign(CompressionMethod::Deflated, &["leaves/10.json"]);
    let (local, central) = (record(&honest, LOCAL, 0), record(&honest, CENTRAL, 0));
    for at in [local + 22, central + 24] {
        honest[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    check_refused("promises less than it holds", &honest, "deflate stream");
}
