//! COSE public keys as authenticators report them (RFC 9052, RFC 9053, RFC 8230; CTAP2 canonical CBOR).

use std::fmt;

use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_url, encode_url};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ed25519;
use crate::public_key::{P256PublicKey, ed25519_spki};

/// The longest accepted encoding, in bytes: RSA with 4096 bits, and its frame.
const MAX_BYTES: usize = 600;
/// 65537, big-endian: the only public exponent that is accepted.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// Why bytes are not an acceptable COSE key, or a signature not one of this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CoseError {
    /// Not a CBOR map of integers to integers and byte strings.
    #[error("key is not a COSE key: enrol it again")]
    Malformed,
    /// The algorithm is not ES256, EdDSA with Ed25519, or RS256.
    #[error("key algorithm is not supported: use ES256, EdDSA or RS256")]
    UnsupportedAlgorithm,
    /// Parameters are missing, additional, repeated, unsorted, or not in their shortest encoding.
    #[error("key is not in canonical form: enrol it again")]
    NotCanonical,
    /// A modulus outside 2048..=4096 bits, another exponent than 65537, or an Ed25519 point of small order.
    #[error("key is too weak: use RSA with 2048 to 4096 bits and exponent 65537, or another key")]
    Weak,
    /// The signature does not verify.
    #[error("signature does not verify under this key")]
    BadSignature,
}

/// A public key in its COSE encoding. In JSON: base64url of the encoding.
///
/// INVARIANT: `bytes` is the one canonical encoding of `material`.
#[derive(Clone, PartialEq, Eq)]
pub struct CosePublicKey {
    bytes: Vec<u8>,
    material: Material,
}

/// Signature algorithms of COSE that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoseAlgorithm {
    /// ECDSA on P-256 with SHA-256 (−7); signatures are ASN.1 DER.
    Es256,
    /// `EdDSA` with Ed25519 (−8).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (−257).
    Rs256,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Es256(P256PublicKey),
    EdDsa([u8; 32]),
    Rs256 { modulus: Vec<u8> },
}

impl CosePublicKey {
    /// Reads exactly one key.
    ///
    /// # Errors
    /// Every reason for which the bytes are not one acceptable key and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self, CoseError> {
        let (key, length) = Self::parse_prefix(bytes)?;
        if length == bytes.len() { Ok(key) } else { Err(CoseError::Malformed) }
    }

    /// Reads a key at the start of `bytes`, and says how many bytes it took.
    ///
    /// # Errors
    /// As [`CosePublicKey::parse`], but bytes may follow.
    pub fn parse_prefix(bytes: &[u8]) -> Result<(Self, usize), CoseError> {
        let mut decoder = Decoder::new(bytes);
        let parameters = Parameters::decode(&mut decoder)?;
        let length = decoder.position();
        let key = Self::from_material(parameters.material()?)?;
        // Comparing with our own encoding refuses every other way to write the same key.
        match bytes.get(..length) {
            Some(consumed) if consumed == key.bytes => Ok((key, length)),
            Some(_) | None => Err(CoseError::NotCanonical),
        }
    }

    /// A P-256 key for ES256.
    ///
    /// # Errors
    /// None in practice; encoding into memory is fallible in the encoder's types.
    pub fn es256(key: P256PublicKey) -> Result<Self, CoseError> {
        Self::from_material(Material::Es256(key))
    }

    fn from_material(material: Material) -> Result<Self, CoseError> {
        let bytes = material.encode().map_err(|_| CoseError::Malformed)?;
        Ok(Self { bytes, material })
    }

    /// Verifies a signature over `message`, which is hashed here.
    ///
    /// # Errors
    /// [`CoseError::BadSignature`], also for a point that is not on the curve.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CoseError> {
        let outcome = match &self.material {
            Material::Es256(key) => {
                return key.verify(message, signature).map_err(|_| CoseError::BadSignature);
            }
            Material::EdDsa(key) => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature)
            }
            Material::Rs256 { modulus } => RsaPublicKeyComponents { n: modulus.as_slice(), e: &RSA_EXPONENT }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
        };
        outcome.map_err(|_| CoseError::BadSignature)
    }

    /// Which algorithm this key signs with.
    pub fn algorithm(&self) -> CoseAlgorithm {
        match &self.material {
            Material::Es256(_) => CoseAlgorithm::Es256,
            Material::EdDsa(_) => CoseAlgorithm::EdDsa,
            Material::Rs256 { .. } => CoseAlgorithm::Rs256,
        }
    }

    /// The `SubjectPublicKeyInfo` in DER (RFC 5280, section 4.1), so that other tools can check signatures. `None`
    /// for RSA, whose keys are not exported.
    pub fn spki(&self) -> Option<Vec<u8>> {
        match &self.material {
            Material::Es256(key) => Some(key.to_spki()),
            Material::EdDsa(key) => Some(ed25519_spki(key)),
            Material::Rs256 { .. } => None,
        }
    }

    /// The canonical encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the canonical encoding.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.bytes)
    }
}

/// The parameters as they stand in the map. Labels: RFC 9052 section 7.1, RFC 9053 section 7, RFC 8230 section 4.
#[derive(Default)]
struct Parameters<'b> {
    algorithm: Option<i64>,
    key_type: Option<i64>,
    curve: Option<i64>,
    minus_one: Option<&'b [u8]>,
    minus_two: Option<&'b [u8]>,
    minus_three: Option<&'b [u8]>,
}

impl<'b> Parameters<'b> {
    fn decode(decoder: &mut Decoder<'b>) -> Result<Self, CoseError> {
        Self::decode_map(decoder).map_err(|_| CoseError::Malformed)
    }

    fn decode_map(decoder: &mut Decoder<'b>) -> Result<Self, minicbor::decode::Error> {
        let mut parameters = Self::default();
        let count = decoder.map()?.filter(|count| *count <= 5);
        let count = count.ok_or_else(|| minicbor::decode::Error::message("not a short map"))?;
        for _ in 0..count {
            match decoder.i64()? {
                1 => parameters.key_type = Some(decoder.i64()?),
                3 => parameters.algorithm = Some(decoder.i64()?),
                -1 if decoder.datatype()? == Type::Bytes => parameters.minus_one = Some(decoder.bytes()?),
                -1 => parameters.curve = Some(decoder.i64()?),
                -2 => parameters.minus_two = Some(decoder.bytes()?),
                -3 => parameters.minus_three = Some(decoder.bytes()?),
                // The comparison with the canonical encoding refuses it.
                _ => decoder.skip()?,
            }
        }
        Ok(parameters)
    }

    fn material(&self) -> Result<Material, CoseError> {
        match (self.key_type, self.algorithm, self.curve) {
            (Some(2), Some(-7), Some(1)) => self.es256(),
            (Some(1), Some(-8), Some(6)) => self.eddsa(),
            (Some(3), Some(-257), None) => self.rs256(),
            _ => Err(CoseError::UnsupportedAlgorithm),
        }
    }

    fn es256(&self) -> Result<Material, CoseError> {
        let (Some(x), Some(y)) = (self.minus_two, self.minus_three) else {
            return Err(CoseError::NotCanonical);
        };
        if x.len() != 32 || y.len() != 32 {
            return Err(CoseError::NotCanonical);
        }
        let point = [&[4], x, y].concat();
        P256PublicKey::from_point(&point).map(Material::Es256).map_err(|_| CoseError::NotCanonical)
    }

    fn eddsa(&self) -> Result<Material, CoseError> {
        let key: [u8; 32] =
            self.minus_two.and_then(|bytes| bytes.try_into().ok()).ok_or(CoseError::NotCanonical)?;
        if ed25519::is_acceptable(&key) { Ok(Material::EdDsa(key)) } else { Err(CoseError::Weak) }
    }

    fn rs256(&self) -> Result<Material, CoseError> {
        let (Some(modulus), Some(exponent)) = (self.minus_one, self.minus_two) else {
            return Err(CoseError::NotCanonical);
        };
        // 256..=512 bytes with the highest bit set: ring refuses other lengths in bits when it verifies.
        let long_enough =
            (256..=512).contains(&modulus.len()) && modulus.first().is_some_and(|byte| *byte >= 0x80);
        if exponent != RSA_EXPONENT || !long_enough {
            return Err(CoseError::Weak);
        }
        Ok(Material::Rs256 { modulus: modulus.to_vec() })
    }
}

impl Material {
    fn encode(&self) -> Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>> {
        let mut encoder = Encoder::new(Vec::new());
        match self {
            Self::Es256(key) => {
                let (x, y) = key.coordinates();
                encoder.map(5)?.u8(1)?.u8(2)?.u8(3)?.i8(-7)?.i8(-1)?.u8(1)?;
                encoder.i8(-2)?.bytes(x)?.i8(-3)?.bytes(y)?;
            }
            Self::EdDsa(key) => {
                encoder.map(4)?.u8(1)?.u8(1)?.u8(3)?.i8(-8)?.i8(-1)?.u8(6)?.i8(-2)?.bytes(key)?;
            }
            Self::Rs256 { modulus } => {
                encoder.map(4)?.u8(1)?.u8(3)?.u8(3)?.i16(-257)?;
                encoder.i8(-1)?.bytes(modulus)?.i8(-2)?.bytes(&RSA_EXPONENT)?;
            }
        }
        Ok(encoder.into_writer())
    }
}

impl fmt::Debug for CosePublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CosePublicKey({:?}, {})", self.algorithm(), encode_url(&self.bytes))
    }
}

impl Serialize for CosePublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_url(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for CosePublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_BYTES * 4 / 3 + 4 {
            return Err(D::Error::custom(CoseError::Malformed));
        }
        let bytes = decode_url(&text).map_err(D::Error::custom)?;
        Self::parse(&bytes).map_err(D::Error::custom)
    }
}
