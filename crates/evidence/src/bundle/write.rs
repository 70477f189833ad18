//! Writing the container: sorted names, fixed times, no compression, so the same files give the same bytes.

use super::{BundleFiles, BundleRefusal, check_paths, crc32};

/// Version 2.0 of the format (APPNOTE.TXT 4.4.3), for plain files.
const VERSION: u16 = 20;
/// 1980-01-01, the earliest date a zip can name (MS-DOS format).
const DATE: u16 = 0x0021;
/// Names are UTF-8 (bit 11). Ours are ASCII, so it says nothing new, but some readers warn without it.
const FLAGS: u16 = 0x0800;

/// Packs files into a zip. Each is stored as it is, so that the bytes do not depend on a compressor's version.
///
/// # Errors
/// [`BundleRefusal`] when [`super::unpack`] would refuse the result.
pub fn pack(files: &BundleFiles) -> Result<Vec<u8>, BundleRefusal> {
    check_paths(files)?;
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for (path, bytes) in files {
        let offset = size(zip.len())?;
        let header = header(path, bytes)?;
        zip.extend_from_slice(b"PK\x03\x04");
        zip.extend_from_slice(&header);
        zip.extend_from_slice(path.as_bytes());
        zip.extend_from_slice(bytes);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&header);
        // Comment length, disk, internal and external attributes: nothing.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(path.as_bytes());
    }
    let count = u16::try_from(files.len()).map_err(|_| BundleRefusal::TooManyFiles)?;
    let start = size(zip.len())?;
    zip.extend_from_slice(&directory);
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    zip.extend_from_slice(&count.to_le_bytes());
    zip.extend_from_slice(&count.to_le_bytes());
    zip.extend_from_slice(&size(directory.len())?.to_le_bytes());
    zip.extend_from_slice(&start.to_le_bytes());
    zip.extend_from_slice(&[0; 2]);
    Ok(zip)
}

/// The 26 bytes that local header and directory entry share (APPNOTE.TXT 4.3.7).
fn header(path: &str, bytes: &[u8]) -> Result<Vec<u8>, BundleRefusal> {
    let length = size(bytes.len())?.to_le_bytes();
    let name = u16::try_from(path.len()).map_err(|_| BundleRefusal::path(path))?;
    let mut header = Vec::with_capacity(26);
    for field in [VERSION, FLAGS, 0, 0, DATE] {
        header.extend_from_slice(&field.to_le_bytes());
    }
    header.extend_from_slice(&crc32(bytes).to_le_bytes());
    header.extend_from_slice(&length);
    header.extend_from_slice(&length);
    header.extend_from_slice(&name.to_le_bytes());
    header.extend_from_slice(&[0; 2]);
    Ok(header)
}

fn size(length: usize) -> Result<u32, BundleRefusal> {
    u32::try_from(length).map_err(|_| BundleRefusal::TooLarge)
}
