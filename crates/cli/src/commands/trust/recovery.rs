//! Offline recovery keys: making one, and signing with it on a machine without a network.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chancery_api::recovery::RecoverySignature;
use chancery_canonical::base64::{decode_url, encode_url};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::IdentityDocument;
use chancery_evidence::recovery::{RecoveryKey, recovery_challenge};
use chancery_evidence::trust::Recovery;
use clap::Args;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::commands::request::grouped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::moment;
use crate::output::{Output, Table, clean};

/// What a file with a private key begins with.
const KEY_LABEL: &str = "chancery-recovery-key-v1";

/// `chancery trust recovery-key`
#[derive(Debug, Args)]
#[command(after_help = "\
Run it on a machine without a network. FILE is the private half: print it or lock it away. FILE.pub is for sealing.

Example:
  chancery trust recovery-key --out recovery-1.key")]
pub struct MakeKey {
    /// Where to write the private half; FILE.pub gets the public one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `chancery trust recovery-sign`
#[derive(Debug, Args)]
#[command(after_help = "\
Shows what is signed, and adds one signature to FILE. Compare the key's fingerprint with the person first.

Example:
  chancery trust recovery-sign recovery.json --key recovery-1.key")]
pub struct Sign {
    /// What `chancery person recover --document` wrote
    file: PathBuf,
    /// The private half of a recovery key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Recovery keys for the root that is sealed.
#[derive(Debug, Args)]
pub struct SealedKeys {
    /// Public half of a recovery key (FILE.pub); give each of them
    #[arg(long = "recovery", value_name = "FILE", requires = "recovery_threshold")]
    recovery: Vec<PathBuf>,
    /// How many of the recovery keys it takes
    #[arg(long, value_name = "K", requires = "recovery")]
    recovery_threshold: Option<u32>,
}

/// A document on its way to recovery keys and back, with the signatures that it has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryFile {
    /// The identity document, canonical text.
    pub document: String,
    /// How many keys have to sign.
    pub needed: u32,
    /// Those that may.
    pub keys: Vec<String>,
    /// Those that did.
    pub signatures: Vec<RecoverySignature>,
}

impl SealedKeys {
    /// Reads them.
    pub fn read(&self) -> Result<Recovery, Failure> {
        let key = |path: &PathBuf| {
            let text = fs::read_to_string(path).map_err(|fault| Failure::file(path, fault))?;
            text.trim().parse::<RecoveryKey>().map_err(|fault| Failure::file(path, fault))
        };
        let keys = self.recovery.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Recovery { threshold: self.recovery_threshold.unwrap_or(0), keys })
    }
}

impl MakeKey {
    /// Makes it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let public = self.out.with_added_extension("pub");
        for path in [&self.out, &public] {
            if path.exists() {
                return Err(Failure::Usage(format!("`{}` exists: name another file", path.display())));
            }
        }
        let mut seed = [0; 32];
        let random = SystemRandom::new().fill(&mut seed);
        random.map_err(|_| Failure::Fault("the system gave no randomness; no key was made".to_owned()))?;
        let key = public_half(&pair(&seed)?)?;
        files::write_private(&self.out, format!("{KEY_LABEL} {}\n", encode_url(&seed)).as_bytes())?;
        fs::write(&public, format!("{key}\n")).map_err(|fault| Failure::file(&public, fault))?;
        let said = json!({"public_key": key, "sha256": key.sha256().to_hex(), "private": self.out, "public": public});
        output.show(&said, |output| {
            let mut table = Table::default();
            table.pair("private half", &self.out.display().to_string());
            table.pair("public half", &public.display().to_string());
            table.pair("fingerprint", &grouped(&key.sha256().to_hex()));
            table.render(output, "")
        })?;
        Ok(Exit::Done)
    }
}

impl Sign {
    /// Shows what is signed, and signs it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut file = RecoveryFile::read(&self.file)?;
        let canonical = Canonical::parse(file.document.as_bytes());
        let canonical = canonical.map_err(|fault| Failure::file(&self.file, fault))?;
        let document: IdentityDocument =
            canonical.decode().map_err(|fault| Failure::file(&self.file, fault))?;
        let pair = read_key(&self.key)?;
        let key = public_half(&pair)?;
        let text = key.to_string();
        if !file.keys.contains(&text) {
            return Err(Failure::Usage(format!("`{text}` is none of the recovery keys that the file names")));
        }
        if file.signatures.iter().any(|one| one.public_key == text) {
            return Err(Failure::Usage(format!("`{text}` signed already: it takes distinct keys")));
        }
        output.note(&shown(&document, &canonical, output)?);
        let signature = pair.sign(recovery_challenge(&canonical).as_bytes());
        let signature = encode_url(signature.as_ref());
        file.signatures.push(RecoverySignature { public_key: text.clone(), signature });
        file.write(&self.file)?;
        let (found, needed) = (file.signatures.len(), file.needed);
        let said = json!({"signed_by": text, "signatures": found, "needed": needed});
        output.show(&said, |output| {
            let mut table = Table::default();
            table.pair("signed by", &grouped(&key.sha256().to_hex()));
            table.pair("signatures", &format!("{found} of {needed}"));
            table.render(output, "")
        })?;
        Ok(Exit::Done)
    }
}

/// What a holder of a key has to know before they sign.
fn shown(document: &IdentityDocument, canonical: &Canonical, output: &Output) -> Result<String, Failure> {
    let text = |pointer: &str| canonical.value().pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let act = match document.act.as_str() {
        "person.recovered" => {
            "a new passkey takes the place of all that this person has, and counts a day later"
        }
        "person.created" => "a new identity administrator, whose passkey counts a day later",
        other => return Err(Failure::Usage(format!("recovery keys do not sign `{}`", clean(other)))),
    };
    let key = text("/body/passkey/public_key").and_then(|key| decode_url(&key).ok()).unwrap_or_default();
    let mut table = Table::default();
    table.pair("act", act);
    table.pair("log", &clean(&document.log_origin));
    table.pair("person", &clean(&text("/body/person").unwrap_or_default()));
    table.pair("key fingerprint", &grouped(&Sha256::of(&key).to_hex()));
    table.pair("document", &grouped(&canonical.digest().to_hex()));
    table.pair("ends", &moment::with_distance(&document.expires_at.to_string()));
    Ok(table.render(output, ""))
}

impl RecoveryFile {
    /// Reads it.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(|fault| Failure::file(path, fault))?;
        serde_json::from_slice(&bytes).map_err(|fault| Failure::file(path, fault))
    }

    /// Writes it, replacing what was there in one step.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|fault| Failure::file(path, fault))?;
        let full = std::path::absolute(path).map_err(|fault| Failure::file(path, fault))?;
        files::write_private(&full, format!("{text}\n").as_bytes())
    }
}

fn read_key(path: &Path) -> Result<Ed25519KeyPair, Failure> {
    let mode = fs::metadata(path).map_err(|fault| Failure::file(path, fault))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let reason = format!("has mode {mode:03o}, so others may use the key: if nobody did, `chmod 600` it");
        return Err(Failure::file(path, reason));
    }
    let text = fs::read_to_string(path).map_err(|fault| Failure::file(path, fault))?;
    let seed = text.trim().strip_prefix(KEY_LABEL).and_then(|rest| decode_url(rest.trim()).ok());
    let seed = seed.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    pair(&seed.ok_or_else(|| Failure::file(path, "is no private recovery key"))?)
}

fn pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair, Failure> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|fault| Failure::Fault(fault.to_string()))
}

fn public_half(pair: &Ed25519KeyPair) -> Result<RecoveryKey, Failure> {
    let bytes = <[u8; 32]>::try_from(pair.public_key().as_ref());
    let bytes = bytes.map_err(|fault| Failure::Fault(fault.to_string()))?;
    RecoveryKey::new(bytes).map_err(|fault| Failure::Fault(fault.to_string()))
}
