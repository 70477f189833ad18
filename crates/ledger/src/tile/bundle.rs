//! Entry bundles: each entry after its length, a big-endian 16-bit number.

/// The longest entry this log takes, in bytes. (The format would allow 65 535.)
pub const MAX_ENTRY_BYTES: usize = 4096;

/// Appends one entry to a bundle.
///
/// # Errors
/// [`BundleError::EntryTooLong`] if the entry is over [`MAX_ENTRY_BYTES`]; the bundle is then unchanged.
pub fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).ok().filter(|length| usize::from(*length) <= MAX_ENTRY_BYTES);
    let length = length.ok_or(BundleError::EntryTooLong { length: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Splits a bundle into its entries, in order of their index.
///
/// # Errors
/// [`BundleError`] if an entry is too long or cut off. How many entries there should be is the caller's to check.
pub fn decode_bundle(bundle: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let cut_off = BundleError::CutOff { entry: entries.len() };
        let Some((length, after)) = rest.split_first_chunk() else { return Err(cut_off) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length > MAX_ENTRY_BYTES {
            return Err(BundleError::EntryTooLong { length });
        }
        let Some((entry, after)) = after.split_at_checked(length) else { return Err(cut_off) };
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// Why bytes are no bundle, or an entry cannot go into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry is over the limit.
    #[error(
        "a log entry of `{length}` bytes is over the limit of {MAX_ENTRY_BYTES}; put a digest in its place"
    )]
    EntryTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The bundle ends inside an entry.
    #[error("the bundle ends inside its entry `{entry}`; fetch it again")]
    CutOff {
        /// Position of that entry in the bundle, from 0.
        entry: usize,
    },
}
