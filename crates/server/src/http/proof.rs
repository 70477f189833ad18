//! Proofs that whoever sends a request holds its session's key (RFC 9449).

use chancery_canonical::base64::{decode_url, encode_url};
use chancery_canonical::json;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

/// Longest proof, in bytes.
const MAX_PROOF_BYTES: usize = 4096;

/// The header of a proof; more is not taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofHeader {
    typ: String,
    alg: String,
    jwk: Jwk,
}

/// An Ed25519 key (RFC 8037).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
}

/// What a proof says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// The method.
    pub htm: String,
    /// The address, without query.
    pub htu: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// Its own name.
    pub jti: String,
    /// Digest of the token, base64url.
    pub ath: String,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefusal {
    /// Too long, or of another shape.
    #[error("the `DPoP` proof is no compact JWS of the expected shape")]
    Unreadable,
    /// Of another kind, or by a key of another kind.
    #[error("the `DPoP` proof is not `dpop+jwt` by an Ed25519 key")]
    OtherKind,
    /// By some key.
    #[error("the `DPoP` proof is by another key than the session's")]
    OtherKey,
    /// Changed, or forged.
    #[error("the `DPoP` proof's signature does not verify")]
    Signature,
}

/// Checks that this key signed the proof (RFC 9449 §4.3), and reads it only then.
///
/// # Errors
/// [`ProofRefusal`], the first check that fails.
pub fn verify(proof: &str, key: &[u8]) -> Result<Claims, ProofRefusal> {
    if proof.len() > MAX_PROOF_BYTES {
        return Err(ProofRefusal::Unreadable);
    }
    let (signed, signature) = proof.rsplit_once('.').ok_or(ProofRefusal::Unreadable)?;
    let (header, payload) = signed.split_once('.').ok_or(ProofRefusal::Unreadable)?;
    let part = |text: &str| decode_url(text).ok().and_then(|bytes| json::parse(&bytes).ok());
    let header: ProofHeader =
        part(header).and_then(|value| serde_json::from_value(value).ok()).ok_or(ProofRefusal::Unreadable)?;
    let signature = decode_url(signature).map_err(|_| ProofRefusal::Unreadable)?;
    if header.typ != "dpop+jwt"
        || header.alg != "EdDSA"
        || header.jwk.kty != "OKP"
        || header.jwk.crv != "Ed25519"
    {
        return Err(ProofRefusal::OtherKind);
    }
    if header.jwk.x != encode_url(key) {
        return Err(ProofRefusal::OtherKey);
    }
    let verified = UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature);
    verified.map_err(|_| ProofRefusal::Signature)?;
    part(payload).and_then(|value| serde_json::from_value(value).ok()).ok_or(ProofRefusal::Unreadable)
}
