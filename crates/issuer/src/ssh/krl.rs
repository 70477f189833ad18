//! The revocation list that sshd reads (OpenSSH `PROTOCOL.krl`, format version 1).

mod publish;
mod serials;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use thiserror::Error;

use super::key::AuthorityKey;
use super::request::is_key_id;
use super::wire::{Reader, WireError, Writer};
use serials::Serials;

pub use publish::PublishError;

/// `SSHKRL\n\0`
const MAGIC: u64 = 0x5353_484b_524c_0a00;
const FORMAT_VERSION: u32 = 1;
const SECTION_CERTIFICATES: u8 = 1;
const SECTION_KEYS: u8 = 2;
const CERTIFICATES_SERIAL_LIST: u8 = 0x20;
const CERTIFICATES_SERIAL_RANGE: u8 = 0x21;
const CERTIFICATES_SERIAL_BITMAP: u8 = 0x22;
const CERTIFICATES_KEY_ID: u8 = 0x23;
const COMMENT_LIMIT: usize = 1024;

/// Why a revocation list cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KrlError {
    /// OpenSSH takes a list with serial 0 in it for corrupt, and then refuses every login.
    #[error("serial 0 cannot be revoked; revoke the certificate by its key id")]
    SerialZero,
    /// Not a range.
    #[error("the range of serials from {0} to {1} is empty")]
    EmptyRange(u64, u64),
    /// Not a key id.
    #[error("a revoked key id must be 1 to 255 printable ASCII characters")]
    KeyId,
    /// Too long, or not text that may stand in a list.
    #[error("the comment must be at most 1024 bytes without control characters")]
    Comment,
    /// The number has no successor.
    #[error("the list has reached the last number; make a new authority")]
    NumbersUsedUp,
    /// Not a revocation list.
    #[error("this is not an OpenSSH revocation list of format version 1")]
    NotAList,
    /// Correct for OpenSSH, yet nothing that is written here.
    #[error("the list has a part that is not written here: {0}")]
    Foreign(&'static str),
    /// The list is about certificates of somebody else.
    #[error("the list revokes certificates of authority `{0}`, not of ours")]
    OtherAuthority(String),
    /// The encoding is broken.
    #[error("the list is damaged: {0}")]
    Wire(#[from] WireError),
}

/// The certificates of our authorities that are taken back. A serial is revoked for every one of them: serials are
/// random, and whoever revokes one need not know who signed it. An authority that was retired stands on the list as a
/// key, by which OpenSSH refuses each of its certificates.
///
/// The list has a number. Every change goes through [`Krl::next`], so a larger number always means a later list, and
/// nothing that is revoked is ever taken off.
///
/// # Encoding
/// Revoked serials form runs of neighbours. A run alone costs 8 bytes for each serial in the one list section, or
/// 21 bytes as a range section; runs that lie close together cost one bit for each serial from the first to the
/// last (and 18 bytes for the section) as a bitmap. The encoding takes the cheapest division into bitmaps and lone
/// runs, to within the rounding of bits to bytes. A bitmap spans at most 8192 serials: OpenSSH reads no integer
/// beyond 16384 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Krl {
    authorities: Vec<AuthorityKey>,
    retired: Vec<AuthorityKey>,
    number: u64,
    generated_at: u64,
    comment: String,
    serials: Serials,
    key_ids: BTreeSet<String>,
}

impl Krl {
    /// The list with nothing on it, numbered 0. Publish it when the authority is created: sshd refuses everybody
    /// while the file it was told of is missing. `generated_at` in unix seconds.
    ///
    /// # Errors
    /// [`KrlError::Comment`].
    pub fn empty(authority: AuthorityKey, generated_at: u64, comment: &str) -> Result<Self, KrlError> {
        check_comment(comment)?;
        Ok(Self {
            authorities: vec![authority],
            retired: Vec::new(),
            number: 0,
            generated_at,
            comment: comment.to_owned(),
            serials: Serials::default(),
            key_ids: BTreeSet::new(),
        })
    }

    /// The same list with the next number, to revoke more on. `generated_at` in unix seconds.
    ///
    /// # Errors
    /// [`KrlError::NumbersUsedUp`] after 2^64 − 1 lists.
    pub fn next(&self, generated_at: u64) -> Result<Self, KrlError> {
        let number = self.number.checked_add(1).ok_or(KrlError::NumbersUsedUp)?;
        Ok(Self { number, generated_at, ..self.clone() })
    }

    /// Takes back the certificate with this serial. Once more is no harm.
    ///
    /// # Errors
    /// [`KrlError::SerialZero`].
    pub fn revoke(&mut self, serial: u64) -> Result<(), KrlError> {
        self.revoke_range(serial..=serial)
    }

    /// Takes back all certificates with these serials, issued already or not.
    ///
    /// # Errors
    /// [`KrlError::SerialZero`], [`KrlError::EmptyRange`].
    pub fn revoke_range(&mut self, serials: RangeInclusive<u64>) -> Result<(), KrlError> {
        if *serials.start() == 0 {
            return Err(KrlError::SerialZero);
        }
        if serials.is_empty() {
            return Err(KrlError::EmptyRange(*serials.start(), *serials.end()));
        }
        self.serials.insert(*serials.start(), *serials.end());
        Ok(())
    }

    /// Takes back every certificate with exactly this key id.
    ///
    /// # Errors
    /// [`KrlError::KeyId`].
    pub fn revoke_key_id(&mut self, key_id: &str) -> Result<(), KrlError> {
        if !is_key_id(key_id) {
            return Err(KrlError::KeyId);
        }
        self.key_ids.insert(key_id.to_owned());
        Ok(())
    }

    /// Whether a certificate of this authority with this serial and key id is on the list.
    #[must_use]
    pub fn revokes(&self, serial: u64, key_id: &str) -> bool {
        self.serials.contains(serial) || self.key_ids.contains(key_id)
    }

    /// The same list for certificates of these authorities, with `retired` refused altogether.
    #[must_use]
    pub fn of(self, authorities: Vec<AuthorityKey>, retired: Vec<AuthorityKey>) -> Self {
        Self { authorities, retired, ..self }
    }

    /// Whose certificates the list is about.
    #[must_use]
    pub fn authorities(&self) -> &[AuthorityKey] {
        &self.authorities
    }

    /// Whose certificates are all refused.
    #[must_use]
    pub fn retired(&self) -> &[AuthorityKey] {
        &self.retired
    }

    /// The list's number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When the list was made; unix seconds.
    #[must_use]
    pub const fn generated_at(&self) -> u64 {
        self.generated_at
    }

    /// What the list says about itself.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The revoked serials as disjoint ranges, smallest first.
    pub fn serials(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        self.serials.runs().map(|(first, last)| first..=last)
    }

    /// The revoked key ids, sorted.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.key_ids.iter().map(String::as_str)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`KrlError::Wire`] when the list would not fit its own length fields (4 GiB).
    pub fn encode(&self) -> Result<Vec<u8>, KrlError> {
        let mut writer = Writer::new();
        writer
            .u64(MAGIC)
            .u32(FORMAT_VERSION)
            .u64(self.number)
            .u64(self.generated_at)
            .u64(0) // flags, none defined
            .string(b"") // reserved
            .string(self.comment.as_bytes());
        if !self.serials.is_empty() || !self.key_ids.is_empty() {
            for authority in &self.authorities {
                writer.u8(SECTION_CERTIFICATES).string(&self.encode_certificates(authority)?);
            }
        }
        if !self.retired.is_empty() {
            let mut keys = Writer::new();
            for authority in &self.retired {
                keys.string(&authority.blob());
            }
            writer.u8(SECTION_KEYS).string(&keys.finish()?);
        }
        Ok(writer.finish()?)
    }

    /// Reads a list about certificates of some of these authorities, in any of the encodings of serials. One that
    /// revokes nothing says of nobody whose it is, and is taken to be about all of them.
    ///
    /// # Errors
    /// [`KrlError`]: lists about other authorities, with other serials for one than for another, or with signatures
    /// are refused, as is everything that is cut short or has something appended.
    pub fn decode(
        bytes: &[u8],
        authorities: &(impl AsRef<[AuthorityKey]> + ?Sized),
    ) -> Result<Self, KrlError> {
        let mut reader = Reader::new(bytes);
        if reader.u64().ok() != Some(MAGIC) || reader.u32().ok() != Some(FORMAT_VERSION) {
            return Err(KrlError::NotAList);
        }
        let (number, generated_at) = (reader.u64()?, reader.u64()?);
        if reader.u64()? != 0 {
            return Err(KrlError::Foreign("flags"));
        }
        if !reader.string()?.is_empty() {
            return Err(KrlError::Foreign("a reserved field"));
        }
        let comment = reader.text()?;
        check_comment(comment)?;
        let nothing = Self {
            authorities: Vec::new(),
            retired: Vec::new(),
            number,
            generated_at,
            comment: comment.to_owned(),
            serials: Serials::default(),
            key_ids: BTreeSet::new(),
        };
        let mut list = nothing.clone();
        while !reader.is_empty() {
            match reader.u8()? {
                SECTION_CERTIFICATES => {
                    list.decode_section(&nothing, reader.string()?, authorities.as_ref())?;
                }
                SECTION_KEYS if list.retired.is_empty() => list.retired = decode_keys(reader.string()?)?,
                _ => {
                    return Err(KrlError::Foreign(
                        "a section other than certificates and retired authorities",
                    ));
                }
            }
        }
        if list.authorities.is_empty() {
            list.authorities = authorities.as_ref().to_vec();
        }
        Ok(list)
    }

    /// One section for each authority, all of them with the same serials.
    fn decode_section(
        &mut self,
        nothing: &Self,
        content: &[u8],
        known: &[AuthorityKey],
    ) -> Result<(), KrlError> {
        let mut one = nothing.clone();
        let authority = one.decode_certificates(content, known)?;
        if self.authorities.contains(&authority) {
            return Err(KrlError::Foreign("a second section of certificates"));
        }
        if !self.authorities.is_empty() && (&self.serials, &self.key_ids) != (&one.serials, &one.key_ids) {
            return Err(KrlError::Foreign("other certificates of one authority than of another"));
        }
        (self.serials, self.key_ids) = (one.serials, one.key_ids);
        self.authorities.push(authority);
        Ok(())
    }

    fn encode_certificates(&self, authority: &AuthorityKey) -> Result<Vec<u8>, WireError> {
        let mut writer = Writer::new();
        writer.string(&authority.blob()).string(b"");
        let plan = self.serials.plan();
        if !plan.listed.is_empty() {
            let mut list = Writer::new();
            for serial in &plan.listed {
                list.u64(*serial);
            }
            writer.u8(CERTIFICATES_SERIAL_LIST).string(&list.finish()?);
        }
        for (first, last) in &plan.ranges {
            let mut range = Writer::new();
            range.u64(*first).u64(*last);
            writer.u8(CERTIFICATES_SERIAL_RANGE).string(&range.finish()?);
        }
        for bitmap in &plan.bitmaps {
            let mut section = Writer::new();
            section.u64(bitmap.offset).mpint(&bitmap.magnitude);
            writer.u8(CERTIFICATES_SERIAL_BITMAP).string(&section.finish()?);
        }
        if !self.key_ids.is_empty() {
            let mut names = Writer::new();
            for key_id in &self.key_ids {
                names.string(key_id.as_bytes());
            }
            writer.u8(CERTIFICATES_KEY_ID).string(&names.finish()?);
        }
        writer.finish()
    }

    fn decode_certificates(
        &mut self,
        section: &[u8],
        known: &[AuthorityKey],
    ) -> Result<AuthorityKey, KrlError> {
        let mut reader = Reader::new(section);
        let blob = reader.string()?;
        // an empty key means "of any authority" to OpenSSH
        let Some(authority) = known.iter().find(|known| known.blob() == blob) else {
            let name = AuthorityKey::from_blob(blob).map(|key| key.fingerprint());
            return Err(KrlError::OtherAuthority(name.unwrap_or_else(|_| "of another kind".to_owned())));
        };
        if !reader.string()?.is_empty() {
            return Err(KrlError::Foreign("a reserved field"));
        }
        while !reader.is_empty() {
            let kind = reader.u8()?;
            let mut part = Reader::new(reader.string()?);
            if part.is_empty() {
                return Err(KrlError::Foreign("an empty part"));
            }
            match kind {
                CERTIFICATES_SERIAL_LIST => {
                    while !part.is_empty() {
                        self.revoke(part.u64()?)?;
                    }
                }
                CERTIFICATES_SERIAL_RANGE => self.revoke_range(part.u64()?..=part.u64()?)?,
                CERTIFICATES_SERIAL_BITMAP => self.decode_bitmap(part.u64()?, part.mpint()?)?,
                CERTIFICATES_KEY_ID => {
                    while !part.is_empty() {
                        self.revoke_key_id(part.text()?)?;
                    }
                }
                _ => return Err(KrlError::Foreign("certificates revoked in an unknown way")),
            }
            part.finish()?;
        }
        Ok(*authority)
    }

    fn decode_bitmap(&mut self, offset: u64, magnitude: &[u8]) -> Result<(), KrlError> {
        if magnitude.len() > serials::READABLE_BITMAP_BYTES {
            return Err(KrlError::Foreign("a bitmap longer than OpenSSH reads"));
        }
        for serial in serials::bitmap_serials(offset, magnitude) {
            self.revoke(serial.ok_or(KrlError::Foreign("a bitmap beyond the last serial"))?)?;
        }
        Ok(())
    }
}

/// Authorities that were retired, each once.
fn decode_keys(content: &[u8]) -> Result<Vec<AuthorityKey>, KrlError> {
    let mut reader = Reader::new(content);
    let mut keys = Vec::new();
    while !reader.is_empty() {
        let key = AuthorityKey::from_blob(reader.string()?);
        let key = key.map_err(|_| KrlError::Foreign("a revoked key that is no authority's"))?;
        if keys.contains(&key) {
            return Err(KrlError::Foreign("a key twice"));
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(KrlError::Foreign("an empty part")) } else { Ok(keys) }
}

fn check_comment(comment: &str) -> Result<(), KrlError> {
    if comment.len() > COMMENT_LIMIT || comment.contains(char::is_control) {
        return Err(KrlError::Comment);
    }
    Ok(())
}
