//! Verifying the inner signature, by key type.

use chancery_canonical::Sha256;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

use super::SshSignatureError;
use crate::ssh_key::{ECDSA_P256, ED25519, SK_ED25519, SshKeyMaterial};
use crate::ssh_wire::WireReader;

/// The security key was touched (PROTOCOL.u2f, "SSH U2F Signatures").
const USER_PRESENT: u8 = 0x01;

/// Verifies `signature`, which is what follows the algorithm's name, over `signed`.
pub fn verify(
    key: &SshKeyMaterial,
    algorithm: &str,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), SshSignatureError> {
    let mut reader = WireReader::new(signature);
    let content = reader.string().ok_or(SshSignatureError::Malformed)?;
    if let (SshKeyMaterial::SkEd25519 { key, application }, SK_ED25519) = (key, algorithm) {
        return verify_security_key(key, application, signed, content, &mut reader);
    }
    reader.end().ok_or(SshSignatureError::Malformed)?;
    match (key, algorithm) {
        (SshKeyMaterial::Ed25519(key), ED25519) => check(&signature::ED25519, key, signed, content),
        (SshKeyMaterial::EcdsaP256(point), ECDSA_P256) => {
            let fixed = fixed_length(content).ok_or(SshSignatureError::Malformed)?;
            check(&signature::ECDSA_P256_SHA256_FIXED, point, signed, &fixed)
        }
        (SshKeyMaterial::Rsa { modulus }, "rsa-sha2-256") => {
            check_rsa(&signature::RSA_PKCS1_2048_8192_SHA256, modulus, signed, content)
        }
        (SshKeyMaterial::Rsa { modulus }, "rsa-sha2-512") => {
            check_rsa(&signature::RSA_PKCS1_2048_8192_SHA512, modulus, signed, content)
        }
        _ => Err(SshSignatureError::UnsupportedAlgorithm),
    }
}

fn check(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), SshSignatureError> {
    UnparsedPublicKey::new(algorithm, key)
        .verify(signed, signature)
        .map_err(|_| SshSignatureError::BadSignature)
}

fn check_rsa(
    parameters: &'static signature::RsaParameters,
    modulus: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), SshSignatureError> {
    RsaPublicKeyComponents { n: modulus, e: [1, 0, 1].as_slice() }
        .verify(parameters, signed, signature)
        .map_err(|_| SshSignatureError::BadSignature)
}

/// A security key signs application, flags, counter and the hash of what is signed.
fn verify_security_key(
    key: &[u8; 32],
    application: &str,
    signed: &[u8],
    signature: &[u8],
    reader: &mut WireReader<'_>,
) -> Result<(), SshSignatureError> {
    let (Some(flags), Some(counter), Some(())) = (reader.byte(), reader.number(), reader.end()) else {
        return Err(SshSignatureError::Malformed);
    };
    let mut message = Sha256::of(application.as_bytes()).as_bytes().to_vec();
    message.push(flags);
    message.extend_from_slice(&counter.to_be_bytes());
    message.extend_from_slice(Sha256::of(signed).as_bytes());
    check(&signature::ED25519, key, &message, signature)?;
    if flags & USER_PRESENT == 0 { Err(SshSignatureError::UserNotPresent) } else { Ok(()) }
}

/// Two `mpint`s (RFC 5656, section 3.1.2) as two 32-byte numbers.
fn fixed_length(content: &[u8]) -> Option<[u8; 64]> {
    let mut reader = WireReader::new(content);
    let (r, s) = (reader.positive_integer()?, reader.positive_integer()?);
    reader.end()?;
    let mut fixed = [0; 64];
    let (left, right) = fixed.split_at_mut(32);
    for (half, number) in [(left, r), (right, s)] {
        let start = half.len().checked_sub(number.len())?;
        half.get_mut(start..)?.copy_from_slice(number);
    }
    Some(fixed)
}
