//! `chancery.toml`: one file, one struct. Unknown keys are refused, and nothing that matters for security has a
//! default here: `init` writes every value down. Limits have defaults, documented in docs/spec/limits.md.

mod limits;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chancery_evidence::authenticator::{Aaguid, AttestationRoot, RootCertificate};
use chancery_evidence::webauthn::RelyingParty;
use chancery_ledger::Origin;
use chancery_signals::{Network, WorkingHours};
use serde::{Deserialize, Serialize};

pub use limits::Limits;

/// Name of the file in the data directory.
pub const FILE: &str = "chancery.toml";

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Exact web origin, such as `https://chancery.example.org`; its host is the relying party id of all passkeys.
    pub public_url: String,
    /// Address and port to listen on. Port 0: any free one.
    pub listen: SocketAddr,
    /// Name of the log: a bare host name, for the life of the log.
    pub log_origin: String,
    /// Folder of the database, keys and policy; relative to this file.
    pub data: PathBuf,
    /// Folder of the trust root, once it is sealed; relative to `data`.
    pub trust: PathBuf,
    /// Which authenticators count as hardware.
    pub passkeys: Passkeys,
    /// Facts from outside.
    pub signals: Signals,
    /// When the organisation works.
    pub calendar: Calendar,
    /// What bounds everything.
    #[serde(default)]
    pub limits: Limits,
    /// Who makes credentials.
    pub issuer: Issuer,
}

/// `[passkeys]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    /// Makers and models, as `trust seal` writes them into `trust.json`; from then on that file counts. Empty: no
    /// passkey counts as hardware.
    pub attestation_roots: Vec<AttestationRootFile>,
}

/// One of `passkeys.attestation_roots`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationRootFile {
    /// File of the maker's root certificate, PEM; relative to `data`.
    pub certificate: PathBuf,
    /// Models that are believed under it.
    pub aaguids: BTreeSet<Aaguid>,
}

/// `[signals]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signals {
    /// How long all sources together may take.
    pub deadline_milliseconds: u64,
    /// Where connections come from.
    pub origin: OriginSignal,
}

/// `[signals.origin]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OriginSignal {
    /// Networks of the proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Named lists of networks that policy may speak of.
    pub networks: BTreeMap<String, Vec<Network>>,
}

/// `[calendar]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// IANA name of the time zone.
    pub timezone: String,
    /// First working hour, 0 to 23.
    pub working_from_hour: u8,
    /// First hour after work, 1 to 24.
    pub working_until_hour: u8,
}

/// `[issuer]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// SSH certificates.
    pub ssh: SshIssuer,
}

/// `[issuer.ssh]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshIssuer {
    /// File of the authority's private key; relative to `data`.
    pub ca_key: PathBuf,
    /// File of the revocation list; relative to `data`.
    pub krl: PathBuf,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {cause}; `chancery init --data DIR` writes a new installation")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not TOML of this shape.
    #[error("`{path}`: {cause}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        cause: String,
    },
    /// A value that cannot be used.
    #[error("`{key}`: {cause}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong with it, and what to write.
        cause: String,
    },
}

impl Config {
    /// A configuration with every value spelled out, for `init` to write.
    pub fn new(public_url: String, listen: SocketAddr, log_origin: String) -> Self {
        Self {
            public_url,
            listen,
            log_origin,
            data: PathBuf::from("."),
            trust: PathBuf::from("trust"),
            passkeys: Passkeys { attestation_roots: Vec::new() },
            signals: Signals {
                deadline_milliseconds: 1000,
                origin: OriginSignal { trusted_proxies: Vec::new(), networks: BTreeMap::new() },
            },
            calendar: Calendar { timezone: "UTC".to_owned(), working_from_hour: 8, working_until_hour: 18 },
            limits: Limits::default(),
            issuer: Issuer {
                ssh: SshIssuer {
                    ca_key: PathBuf::from("keys/ssh-ca.pkcs8"),
                    krl: PathBuf::from("krl/ssh.krl"),
                },
            },
        }
    }

    /// Reads and checks `chancery.toml`. Its relative paths become paths beside it.
    ///
    /// # Errors
    /// [`ConfigError`], the first thing that is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::File { path: path.to_owned(), cause })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|cause| ConfigError::Shape { path: path.to_owned(), cause: cause.to_string() })?;
        let beside = path.parent().unwrap_or(Path::new("."));
        config.data = beside.join(&config.data);
        config.check()?;
        Ok(config)
    }

    /// Reads the configuration of a data directory.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read_from(data: &Path) -> Result<Self, ConfigError> {
        Self::read(&data.join(FILE))
    }

    /// The effective configuration as TOML. There are no secrets in it: keys stand in files of their own.
    pub fn to_toml(&self) -> String {
        // A struct of strings, numbers and lists always has a TOML form.
        toml::to_string(self).unwrap_or_default()
    }

    /// Holds every value to what can be used.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.relying_party()?;
        self.origin()?;
        self.working_hours()?;
        self.attestation_roots()?;
        self.limits.check()?;
        let (deadline, longest) = (self.signals.deadline_milliseconds, 10_000);
        if !(1..=longest).contains(&deadline) {
            let cause = format!("{deadline} is not within 1 to {longest}");
            return Err(refused("signals.deadline_milliseconds", cause));
        }
        Ok(())
    }

    /// The site on which passkeys are used.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a public URL on which no browser would use them.
    pub fn relying_party(&self) -> Result<RelyingParty, ConfigError> {
        let host = self.public_url.split_once("://").map_or("", |(_, authority)| authority);
        let host = host.split(':').next().unwrap_or_default();
        RelyingParty::new(host, [self.public_url.as_str()]).map_err(|cause| {
            refused("public_url", format!("{cause}; write `https://HOST[:PORT]` or `http://localhost:PORT`"))
        })
    }

    /// Makers and models of authenticators, with the makers' certificates read.
    ///
    /// # Errors
    /// [`ConfigError::File`], and [`ConfigError::Value`] for what is no certificate.
    pub fn attestation_roots(&self) -> Result<Vec<AttestationRoot>, ConfigError> {
        let read = |root: &AttestationRootFile| {
            let path = self.data.join(&root.certificate);
            let text = std::fs::read_to_string(&path).map_err(|cause| ConfigError::File { path, cause })?;
            let certificate = RootCertificate::from_pem(&text)
                .map_err(|cause| refused("passkeys.attestation_roots", cause.to_string()))?;
            Ok(AttestationRoot { certificate, aaguids: root.aaguids.clone() })
        };
        self.passkeys.attestation_roots.iter().map(read).collect()
    }

    /// The log's name.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn origin(&self) -> Result<Origin, ConfigError> {
        self.log_origin.parse().map_err(|cause| refused("log_origin", format!("{cause}")))
    }

    /// The organisation's calendar.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn working_hours(&self) -> Result<WorkingHours, ConfigError> {
        let Calendar { timezone, working_from_hour, working_until_hour } = &self.calendar;
        WorkingHours::new(timezone, *working_from_hour, *working_until_hour)
            .map_err(|cause| refused("calendar", cause.to_string()))
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("chancery.db")
    }

    /// The copy of the newest checkpoint, apart from the database.
    pub fn checkpoint_copy(&self) -> PathBuf {
        self.data.join("checkpoint").join("newest")
    }

    /// The active policy bundle.
    pub fn policy(&self) -> PathBuf {
        self.data.join("policy")
    }

    /// The trust root's folder.
    pub fn trust(&self) -> PathBuf {
        self.data.join(&self.trust)
    }

    /// The SSH authority's key.
    pub fn ssh_ca_key(&self) -> PathBuf {
        self.data.join(&self.issuer.ssh.ca_key)
    }

    /// The SSH revocation list.
    pub fn ssh_krl(&self) -> PathBuf {
        self.data.join(&self.issuer.ssh.krl)
    }
}

fn refused(key: &'static str, cause: String) -> ConfigError {
    ConfigError::Value { key, cause }
}
