//! What several SSH test files need: keys of every kind, an authority, certificates, the real ssh-keygen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]
#![allow(dead_code, reason = "each test file uses a part")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_issuer::ssh::wire::{Reader, Writer};
use chancery_issuer::ssh::{Algorithm, Authority, CertificateRequest, SubjectKey};
use ring::rand::SystemRandom;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub const NONCE: [u8; 32] = [7; 32];
/// 2030-01-02T03:04:05Z and an hour later.
pub const VALIDITY: std::ops::Range<u64> = 1_893_553_445..1_893_557_045;

/// A folder that other users can reach.
pub fn open_folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

pub fn authority(folder: &Path) -> Authority {
    Authority::create(&folder.join("authority.pkcs8"), &SystemRandom::new()).unwrap()
}

pub fn ssh_keygen(arguments: &[&str]) -> Output {
    Command::new("ssh-keygen").args(arguments).env("TZ", "UTC").output().expect("openssh-client is installed")
}

/// A key pair on disk; the path of the private half.
pub fn key_pair(folder: &Path, name: &str, kind: &str, bits: &str) -> PathBuf {
    let path = folder.join(name);
    let text = path.to_str().unwrap();
    let made = ssh_keygen(&["-q", "-t", kind, "-b", bits, "-N", "", "-C", "a comment", "-f", text]);
    assert!(made.status.success(), "{made:?}");
    path
}

pub fn public_line(private: &Path) -> String {
    std::fs::read_to_string(private.with_extension("pub")).unwrap()
}

/// A public key line of each kind. Keys of security keys are plain ones with an application: nobody can sign with
/// them here, and nobody has to.
pub fn line_of(algorithm: Algorithm, folder: &Path) -> String {
    match algorithm {
        Algorithm::Ed25519 => public_line(&key_pair(folder, "ed25519", "ed25519", "256")),
        Algorithm::EcdsaP256 => public_line(&key_pair(folder, "ecdsa", "ecdsa", "256")),
        Algorithm::Rsa => public_line(&key_pair(folder, "rsa", "rsa", "2048")),
        Algorithm::SecurityKeyEd25519 => on_security_key(&line_of(Algorithm::Ed25519, folder), algorithm),
        Algorithm::SecurityKeyEcdsaP256 => on_security_key(&line_of(Algorithm::EcdsaP256, folder), algorithm),
    }
}

fn on_security_key(plain: &str, algorithm: Algorithm) -> String {
    let blob = STANDARD.decode(plain.split(' ').nth(1).unwrap()).unwrap();
    let mut reader = Reader::new(&blob);
    reader.string().unwrap();
    let mut writer = Writer::new();
    writer.string(algorithm.name().as_bytes());
    while !reader.is_empty() {
        writer.string(reader.string().unwrap());
    }
    writer.string(b"ssh:");
    encoded_line(algorithm.name(), &writer.finish().unwrap())
}

pub fn encoded_line(name: &str, blob: &[u8]) -> String {
    format!("{name} {}", STANDARD.encode(blob))
}

/// An Ed25519 subject that needs no tool.
pub fn subject(byte: u8) -> SubjectKey {
    let mut blob = Writer::new();
    blob.string(b"ssh-ed25519").string(&[byte; 32]);
    SubjectKey::parse(&encoded_line("ssh-ed25519", &blob.finish().unwrap())).unwrap()
}

pub fn request(serial: u64) -> CertificateRequest {
    CertificateRequest::new(subject(1), serial, &format!("lease/{serial}"), &["deploy"], VALIDITY, NONCE)
}

/// Signs `request` into `NAME-cert.pub`.
pub fn write_certificate(
    authority: &Authority,
    request: &CertificateRequest,
    folder: &Path,
    name: &str,
) -> PathBuf {
    let path = folder.join(format!("{name}-cert.pub"));
    let line = request.prepare(authority.key()).unwrap().sign(authority).unwrap();
    std::fs::write(&path, format!("{line}\n")).unwrap();
    path
}
