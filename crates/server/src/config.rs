//! `chancery.toml`: one file, one struct. Unknown keys are refused, and nothing that matters for security has a
//! default here: `init` writes every value down.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chancery_evidence::authenticator::{Aaguid, AttestationRoot, RootCertificate};
use chancery_evidence::webauthn::RelyingParty;
use chancery_ledger::Origin;
use chancery_signals::{Network, WorkingHours};
use serde::{Deserialize, Serialize};

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

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Largest JSON body, in bytes.
    pub body_bytes: usize,
    /// Largest artifact, in bytes.
    pub artifact_bytes: usize,
    /// How long a client may take to send its headers, in seconds.
    pub header_seconds: u64,
    /// How long a client may take to send its body, in seconds.
    pub body_seconds: u64,
    /// Connections at once.
    pub connections: usize,
    /// Event streams at once.
    pub event_streams: usize,
    /// Requests in a minute that one address may send without being signed in, where they leave something behind.
    pub open_requests_per_minute: u32,
    /// Undecided requests of one person.
    pub pending_requests_per_person: usize,
    /// How long an invitation is good, in seconds.
    pub invitation_seconds: u64,
    /// How long a session lasts, in seconds; at most twelve hours.
    pub session_seconds: u64,
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
            limits: Limits {
                body_bytes: 256 * 1024,
                artifact_bytes: 4 * 1024 * 1024,
                header_seconds: 10,
                body_seconds: 30,
                connections: 1024,
                event_streams: 256,
                open_requests_per_minute: 120,
                pending_requests_per_person: 20,
                invitation_seconds: 24 * 3600,
                session_seconds: 8 * 3600,
            },
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
        let limits = &self.limits;
        for (key, value, smallest, largest) in [
            ("limits.body_bytes", limits.body_bytes as u64, 16 * 1024, 8 * 1024 * 1024),
            ("limits.artifact_bytes", limits.artifact_bytes as u64, 1024, 64 * 1024 * 1024),
            ("limits.header_seconds", limits.header_seconds, 1, 120),
            ("limits.body_seconds", limits.body_seconds, 1, 600),
            ("limits.connections", limits.connections as u64, 8, 65_536),
            ("limits.event_streams", limits.event_streams as u64, 1, 65_536),
            ("limits.open_requests_per_minute", u64::from(limits.open_requests_per_minute), 4, 100_000),
            ("limits.pending_requests_per_person", limits.pending_requests_per_person as u64, 1, 200),
            ("limits.invitation_seconds", limits.invitation_seconds, 60, 7 * 24 * 3600),
            ("limits.session_seconds", limits.session_seconds, 60, 12 * 3600),
            ("signals.deadline_milliseconds", self.signals.deadline_milliseconds, 1, 10_000),
        ] {
            if !(smallest..=largest).contains(&value) {
                return Err(refused(key, format!("{value} is not within {smallest} to {largest}")));
            }
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
