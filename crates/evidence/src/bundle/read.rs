//! Reading the container, strictly: every byte of the zip belongs to exactly one file or header, and what is
//! said twice is said alike. Readers that are lenient in different ways see different files in one zip; this
//! one sees what all of them see, or refuses.

use std::collections::BTreeSet;

use flate2::{Decompress, FlushDecompress, Status};

use super::{BundleFiles, BundleRefusal, MAX_FILES, MAX_RATIO, MAX_TOTAL_BYTES, crc32, is_plain_path};

const LOCAL_LENGTH: usize = 30;
const CENTRAL_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
/// Bits 1 and 2 tell how hard a compressor tried, bit 11 that names are UTF-8. All others change the meaning.
const HARMLESS_FLAGS: u16 = 0x0806;
/// A ratio says nothing about files smaller than this, in bytes.
const RATIO_FLOOR: usize = 64 * 1024;

/// Reads a zip of plain files, stored or deflated, in any order.
///
/// # Errors
/// [`BundleRefusal`] for everything that two readers could understand differently, and for bombs.
pub fn unpack(zip: &[u8]) -> Result<BundleFiles, BundleRefusal> {
    // Twice the limit, since a container is never much larger than what is in it.
    if zip.len() > 2 * MAX_TOTAL_BYTES {
        return Err(BundleRefusal::TooLarge);
    }
    let end = End::read(zip)?;
    let entries = read_directory(zip, &end)?;
    let mut files = BundleFiles::new();
    let mut folded = BTreeSet::new();
    let mut covered = 0_usize;
    let mut total = 0_usize;
    // In the order of their place, so that gaps and overlaps show.
    for entry in entries {
        if entry.offset != covered {
            return Err(BundleRefusal::LooseBytes(entry.offset.abs_diff(covered)));
        }
        let data = entry.data(zip)?;
        covered = data.end;
        if !folded.insert(entry.path.to_ascii_lowercase()) {
            return Err(BundleRefusal::Duplicate(entry.path));
        }
        total = total.saturating_add(entry.size);
        if total > MAX_TOTAL_BYTES {
            return Err(BundleRefusal::TooLarge);
        }
        let bytes = entry.content(zip.get(data).ok_or(BundleRefusal::Truncated("a file"))?)?;
        files.insert(entry.path, bytes);
    }
    if covered == end.directory {
        Ok(files)
    } else {
        Err(BundleRefusal::LooseBytes(end.directory.abs_diff(covered)))
    }
}

/// The end record (APPNOTE.TXT 4.3.16).
struct End {
    at: usize,
    directory: usize,
    count: usize,
}

impl End {
    fn read(zip: &[u8]) -> Result<Self, BundleRefusal> {
        // INVARIANT: it is the last thing and has no comment, so there is one place to look for it.
        let at = zip.len().checked_sub(END_LENGTH).ok_or(BundleRefusal::NotAZip)?;
        let record = Fields(zip.get(at..).unwrap_or_default());
        if record.0.get(..4) != Some(b"PK\x05\x06") || record.u16(20) != 0 {
            return Err(BundleRefusal::NotAZip);
        }
        if record.u16(4) != 0 || record.u16(6) != 0 || record.u16(8) != record.u16(10) {
            return Err(BundleRefusal::Unsupported("several disks"));
        }
        let (count, size, directory) = (record.u16(10), record.u32(12), record.u32(16));
        if count == u16::MAX || size == u32::MAX || directory == u32::MAX {
            return Err(BundleRefusal::Unsupported("zip64"));
        }
        let (size, directory) = (as_usize(size), as_usize(directory));
        if directory.checked_add(size) != Some(at) {
            let loose = at.abs_diff(directory.saturating_add(size));
            return Err(BundleRefusal::LooseBytes(loose));
        }
        if usize::from(count) > MAX_FILES {
            return Err(BundleRefusal::TooManyFiles);
        }
        Ok(Self { at, directory, count: usize::from(count) })
    }
}

/// One file, as the directory describes it.
struct Entry {
    path: String,
    /// Version needed, flags, method, time, date, checksum, sizes: 24 bytes that the local header repeats.
    shared: Vec<u8>,
    deflated: bool,
    checksum: u32,
    packed: usize,
    size: usize,
    offset: usize,
}

fn read_directory(zip: &[u8], end: &End) -> Result<Vec<Entry>, BundleRefusal> {
    let mut entries = Vec::with_capacity(end.count);
    let mut at = end.directory;
    for _ in 0..end.count {
        let (entry, next) = Entry::read(zip, at)?;
        entries.push(entry);
        at = next;
    }
    if at != end.at {
        return Err(BundleRefusal::LooseBytes(end.at.abs_diff(at)));
    }
    entries.sort_by_key(|entry| entry.offset);
    Ok(entries)
}

impl Entry {
    /// Reads a directory entry (APPNOTE.TXT 4.3.12) and says where the next one starts.
    fn read(zip: &[u8], at: usize) -> Result<(Self, usize), BundleRefusal> {
        let truncated = || BundleRefusal::Truncated("its directory");
        let record = zip.get(at..).and_then(|rest| rest.get(..CENTRAL_LENGTH)).ok_or_else(truncated)?;
        if record.get(..4) != Some(b"PK\x01\x02") {
            return Err(truncated());
        }
        let fields = Fields(record);
        let name_at = at + CENTRAL_LENGTH;
        let name_end = name_at + usize::from(fields.u16(28));
        let name = zip.get(name_at..name_end).ok_or_else(truncated)?;
        let path =
            std::str::from_utf8(name).map_err(|_| BundleRefusal::path(&String::from_utf8_lossy(name)))?;
        if path.ends_with('/') {
            return Err(BundleRefusal::NotAFile(path.chars().take(80).collect()));
        }
        if !is_plain_path(path) {
            return Err(BundleRefusal::path(path));
        }
        let entry = Self {
            path: path.to_owned(),
            shared: record.get(6..28).unwrap_or_default().to_vec(),
            deflated: fields.u16(10) == 8,
            checksum: fields.u32(16),
            packed: as_usize(fields.u32(20)),
            size: as_usize(fields.u32(24)),
            offset: as_usize(fields.u32(42)),
        };
        entry.check_features(&fields)?;
        Ok((entry, name_end))
    }

    fn check_features(&self, fields: &Fields<'_>) -> Result<(), BundleRefusal> {
        if fields.u16(8) & 1 != 0 {
            return Err(BundleRefusal::Unsupported("encryption"));
        }
        if fields.u16(8) & !HARMLESS_FLAGS != 0 {
            return Err(BundleRefusal::Unsupported("sizes after the data, patches or masked headers"));
        }
        if !matches!(fields.u16(10), 0 | 8) {
            return Err(BundleRefusal::Unsupported("a compression other than deflate"));
        }
        if fields.u16(30) != 0 {
            return Err(BundleRefusal::Unsupported("additional fields"));
        }
        if fields.u16(32) != 0 {
            return Err(BundleRefusal::Unsupported("comments"));
        }
        if fields.u16(34) != 0 {
            return Err(BundleRefusal::Unsupported("several disks"));
        }
        if [20, 24, 42].iter().any(|at| fields.u32(*at) == u32::MAX) {
            return Err(BundleRefusal::Unsupported("zip64"));
        }
        // The upper half is a Unix mode when the maker says Unix; a kind that is given must be a plain file.
        let kind = (fields.u32(38) >> 16) & 0o170_000;
        let directory = fields.u32(38) & 0x10 != 0;
        if directory || !matches!(kind, 0 | 0o100_000) {
            return Err(BundleRefusal::NotAFile(self.path.clone()));
        }
        Ok(())
    }

    /// Where the file's data is, once its local header (APPNOTE.TXT 4.3.7) says what the directory says.
    fn data(&self, zip: &[u8]) -> Result<std::ops::Range<usize>, BundleRefusal> {
        let truncated = || BundleRefusal::Truncated("a file");
        let header =
            zip.get(self.offset..).and_then(|rest| rest.get(..LOCAL_LENGTH)).ok_or_else(truncated)?;
        if header.get(..4) != Some(b"PK\x03\x04") {
            return Err(BundleRefusal::Truncated("a header"));
        }
        let disagrees = |what| BundleRefusal::Disagrees { path: self.path.clone(), what };
        for (what, range) in [
            ("version or flags", 0..4),
            ("method", 4..6),
            ("time", 6..10),
            ("checksum", 10..14),
            ("size", 14..22),
        ] {
            let local = header.get(4..26).and_then(|shared| shared.get(range.clone()));
            if local != self.shared.get(range) {
                return Err(disagrees(what));
            }
        }
        let fields = Fields(header);
        if fields.u16(28) != 0 {
            return Err(BundleRefusal::Unsupported("additional fields"));
        }
        let name_at = self.offset + LOCAL_LENGTH;
        let start = name_at + usize::from(fields.u16(26));
        if zip.get(name_at..start) != Some(self.path.as_bytes()) {
            return Err(disagrees("name"));
        }
        let end = start.checked_add(self.packed).filter(|end| *end <= zip.len()).ok_or_else(truncated)?;
        Ok(start..end)
    }

    fn content(&self, packed: &[u8]) -> Result<Vec<u8>, BundleRefusal> {
        let bytes = if self.deflated { self.inflate(packed)? } else { packed.to_vec() };
        let wrong = |what| BundleRefusal::Data { path: self.path.clone(), what };
        if bytes.len() != self.size {
            return Err(wrong("has another length than its header says"));
        }
        if crc32(&bytes) != self.checksum {
            return Err(wrong("is damaged: its checksum is another"));
        }
        Ok(bytes)
    }

    /// One deflate stream (RFC 1951), all of it and nothing after it.
    fn inflate(&self, packed: &[u8]) -> Result<Vec<u8>, BundleRefusal> {
        if self.size > RATIO_FLOOR && self.size / MAX_RATIO > packed.len() {
            return Err(BundleRefusal::Bomb(self.path.clone()));
        }
        let wrong = |what| BundleRefusal::Data { path: self.path.clone(), what };
        // One byte of room beyond the promised size shows a stream that goes on.
        let mut bytes = Vec::with_capacity(self.size + 1);
        let mut stream = Decompress::new(false);
        let status = stream.decompress_vec(packed, &mut bytes, FlushDecompress::Finish);
        let complete = matches!(status, Ok(Status::StreamEnd)) && stream.total_in() == packed.len() as u64;
        if complete {
            Ok(bytes)
        } else {
            Err(wrong("is not one complete deflate stream of the size promised"))
        }
    }
}

/// Little-endian numbers at fixed places; 0 outside, which the caller's length check makes impossible.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(&self, at: usize) -> u16 {
        let bytes = self.0.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
        u16::from_le_bytes(bytes.unwrap_or_default())
    }

    fn u32(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_le_bytes(bytes.unwrap_or_default())
    }
}

fn as_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
