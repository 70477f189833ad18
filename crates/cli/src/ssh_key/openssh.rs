//! OpenSSH's private key file (PROTOCOL.key), unencrypted: what `ssh -i` reads.

use chancery_canonical::base64::encode_standard;
use chancery_evidence::ssh_key::{ED25519, SshPublicKey};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{SshParts, unusable};
use crate::client;
use crate::failure::Failure;

const MAGIC: &[u8] = b"openssh-key-v1\0";
/// The private section is filled up to a multiple of this, also where nothing is encrypted.
const BLOCK: usize = 8;
const LINE: usize = 70;

/// The files of an Ed25519 key, its comment the request's id.
pub fn private_key(seed: &[u8; 32], public: &SshPublicKey, comment: &str) -> Result<SshParts, Failure> {
    let check: [u8; 4] = client::random_bytes()?;
    let private = armored(&encode(seed, public, comment, check)?);
    Ok(SshParts { private, line: format!("{public} {comment}\n") })
}

fn encode(seed: &[u8; 32], public: &SshPublicKey, comment: &str, check: [u8; 4]) -> Result<Vec<u8>, Failure> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|fault| unusable(&fault))?;
    let raw = pair.public_key().as_ref();
    let mut section = [check, check].concat();
    put(&mut section, ED25519.as_bytes())?;
    put(&mut section, raw)?;
    // OpenSSH's "private key" is seed ‖ public key
    put(&mut section, &[seed.as_slice(), raw].concat())?;
    put(&mut section, comment.as_bytes())?;
    let filling = section.len().next_multiple_of(BLOCK) - section.len();
    section.extend((1u8..).take(filling));

    let mut file = MAGIC.to_vec();
    put(&mut file, b"none")?;
    put(&mut file, b"none")?;
    put(&mut file, b"")?;
    file.extend_from_slice(&1u32.to_be_bytes());
    put(&mut file, public.blob())?;
    put(&mut file, &section)?;
    Ok(file)
}

fn put(target: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Failure> {
    let length = u32::try_from(bytes.len()).map_err(|fault| unusable(&fault))?;
    target.extend_from_slice(&length.to_be_bytes());
    target.extend_from_slice(bytes);
    Ok(())
}

fn armored(file: &[u8]) -> String {
    let mut text = "-----BEGIN OPENSSH PRIVATE KEY-----\n".to_owned();
    for (position, character) in encode_standard(file).chars().enumerate() {
        if position > 0 && position % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END OPENSSH PRIVATE KEY-----\n");
    text
}

#[cfg(test)]
mod tests;
