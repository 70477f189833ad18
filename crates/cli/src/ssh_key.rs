//! The SSH key that a grant is bound to: one that the user has, or a fresh one kept beside its certificate.
//!
//! The server only ever sees the public half, and a proof that the private half is here.

mod openssh;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chancery_canonical::Sha256;
use chancery_evidence::ssh_key::SshPublicKey;
use chancery_evidence::sshsig::{REQUEST_NAMESPACE, SshSignature, sign_ed25519};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::client;
use crate::failure::Failure;
use crate::files;

/// A key of which possession can be shown.
pub enum GrantKey {
    /// Made here for one request.
    Fresh {
        /// Its seed.
        seed: [u8; 32],
        /// The key.
        pair: Box<Ed25519KeyPair>,
        /// Its public half.
        public: SshPublicKey,
    },
    /// The user's own: its private half is beside the `.pub` file, or in an agent or a security key.
    Own {
        /// The `.pub` file.
        file: PathBuf,
        /// What stands in it.
        public: SshPublicKey,
    },
}

/// Where the key of one request is kept.
#[derive(Debug, Clone)]
pub struct KeyFolder(PathBuf);

impl GrantKey {
    /// Makes a key for one request.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn fresh() -> Result<Self, Failure> {
        let seed = client::random_bytes()?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|fault| unusable(&fault))?;
        let raw = <&[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|fault| unusable(&fault))?;
        let public = SshPublicKey::ed25519(raw).map_err(|fault| unusable(&fault))?;
        Ok(Self::Fresh { seed, pair: Box::new(pair), public })
    }

    /// Takes the key of a `.pub` file.
    ///
    /// # Errors
    /// When the file cannot be read or holds no acceptable key.
    pub fn own(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|fault| Failure::file(file, fault))?;
        let public = SshPublicKey::parse(&text).map_err(|fault| Failure::file(file, fault))?;
        let file = std::path::absolute(file).map_err(|fault| Failure::file(file, fault))?;
        Ok(Self::Own { file, public })
    }

    /// `TYPE BASE64`, as a request names it.
    pub fn line(&self) -> String {
        match self {
            Self::Fresh { public, .. } | Self::Own { public, .. } => public.to_string(),
        }
    }

    /// SSHSIG over a request's challenge: the binary blob.
    ///
    /// # Errors
    /// When `ssh-keygen` cannot sign with the user's key.
    pub fn prove_possession(&self, challenge: &Sha256) -> Result<Vec<u8>, Failure> {
        let (signature, public) = match self {
            Self::Fresh { pair, public, .. } => {
                let signature = sign_ed25519(pair, REQUEST_NAMESPACE, challenge.as_bytes());
                (signature.map_err(|fault| unusable(&fault))?, public)
            }
            Self::Own { file, public } => (sign_with_openssh(file, challenge)?, public),
        };
        signature
            .verify(public, REQUEST_NAMESPACE, challenge.as_bytes())
            .map_err(|fault| Failure::Fault(format!("the SSH key's signature does not stand: {fault}")))?;
        Ok(signature.to_blob())
    }

    /// Keeps the key, or where it is, for the request's credentials.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keep(&self, folder: &KeyFolder, comment: &str) -> Result<(), Failure> {
        match self {
            Self::Fresh { seed, public, .. } => {
                let SshParts { private, line } = openssh::private_key(seed, public, comment)?;
                files::write_private(&folder.path("id_ed25519"), private.as_bytes())?;
                files::write_private(&folder.path("id_ed25519.pub"), line.as_bytes())?;
            }
            Self::Own { file, .. } => {
                files::write_private(&folder.path("own-key"), file.as_os_str().as_encoded_bytes())?;
            }
        }
        Ok(())
    }
}

/// The two files of a key pair.
pub(crate) struct SshParts {
    private: String,
    line: String,
}

impl KeyFolder {
    /// The folder of a request. The id is a ULID, so that it is one name.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is no id.
    pub fn of(request: &str) -> Result<Self, Failure> {
        let id: chancery_domain::id::RequestId = request
            .parse()
            .map_err(|fault: chancery_domain::id::IdError| Failure::Usage(fault.to_string()))?;
        Ok(Self(files::state_folder()?.join("keys").join(id.as_str())))
    }

    /// Another place than this user's.
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What `ssh -i` takes; for a key of the user's own, its file.
    ///
    /// # Errors
    /// When this machine does not know the request's key.
    pub fn identity(&self) -> Result<PathBuf, Failure> {
        let fresh = self.path("id_ed25519");
        if fresh.is_file() {
            return Ok(fresh);
        }
        let Some(own) = files::read_if_there(&self.path("own-key"))? else {
            return Err(Failure::Fault(format!(
                "the key of this request is not known on this machine (`{}`): use the credential where the request was \
                 made, or name the key with `--key FILE.pub` if it is one of your own",
                self.0.display()
            )));
        };
        let public = PathBuf::from(own);
        // With the private half beside it that one is named; else ssh finds the key in the agent by its public half.
        let private = public.with_extension("");
        Ok(if private.is_file() { private } else { public })
    }

    /// Its public half.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn public_key(&self) -> Result<SshPublicKey, Failure> {
        let file = match files::read_if_there(&self.path("own-key"))? {
            Some(own) => PathBuf::from(own),
            None => self.path("id_ed25519.pub"),
        };
        let text = fs::read_to_string(&file).map_err(|fault| Failure::file(&file, fault))?;
        SshPublicKey::parse(&text).map_err(|fault| Failure::file(&file, fault))
    }

    /// Where its certificate is kept.
    pub fn certificate(&self) -> PathBuf {
        // ssh finds it by itself beside a fresh key
        self.path("id_ed25519-cert.pub")
    }

    /// Keeps a certificate.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_certificate(&self, line: &str) -> Result<PathBuf, Failure> {
        let path = self.certificate();
        files::write_private(&path, format!("{}\n", line.trim_end()).as_bytes())?;
        Ok(path)
    }
}

/// `ssh-keygen -Y sign`: reads the private half beside the file, or asks the agent.
fn sign_with_openssh(file: &Path, challenge: &Sha256) -> Result<SshSignature, Failure> {
    let missing = |fault: std::io::Error| {
        Failure::Fault(format!(
            "cannot run `ssh-keygen` ({fault}); install openssh-client, or leave out `--key`"
        ))
    };
    let mut child = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", REQUEST_NAMESPACE, "-f"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(challenge.as_bytes()).map_err(missing)?;
    }
    let output = child.wait_with_output().map_err(missing)?;
    if !output.status.success() {
        return Err(Failure::Fault(format!(
            "`ssh-keygen -Y sign -f {}` did not sign; is the private key beside it or in the agent?",
            file.display()
        )));
    }
    SshSignature::parse(&String::from_utf8_lossy(&output.stdout)).map_err(|fault| unusable(&fault))
}

fn unusable(fault: &dyn std::fmt::Display) -> Failure {
    Failure::Fault(format!("the SSH key cannot be used: {fault}"))
}
