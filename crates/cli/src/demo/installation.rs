//! An installation of its own: a folder that is gone afterwards, and a server that runs in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_api::server::ServerInformation;
use chancery_server::{InitOptions, Initialised, Running, SealOptions, Server};
use serde_json::json;
use tokio::runtime::Runtime;

use super::story::{Story, require};
use crate::client::{Client, random_text};
use crate::failure::Failure;
use crate::trust_folder;

/// The log's name. It has nothing to do with where the server listens.
const LOG_ORIGIN: &str = "log.chancery.demo";
/// How long the server may take to end.
const DRAIN: Duration = Duration::from_secs(3);

/// A server with its folder.
pub struct Installation {
    folder: PathBuf,
    url: String,
    enrolment_link: String,
    /// Taken when it is dropped.
    running: Option<(Runtime, Running)>,
}

impl Installation {
    /// Makes one and starts it.
    ///
    /// # Errors
    /// What `chancery init` or `chancery server run` would say.
    pub fn make(story: &mut Story<'_>) -> Result<Self, Failure> {
        story.step("installation", "An installation is made, and its server started", |tell| {
            let runtime = Runtime::new().map_err(|fault| Failure::Fault(format!("no threads: {fault}")))?;
            let folder = make_folder()?;
            let port = free_port()?;
            let url = format!("http://localhost:{port}");
            let options = InitOptions {
                public_url: url.clone(),
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                log_origin: LOG_ORIGIN.to_owned(),
                policy: None,
                roles: BTreeSet::new(),
                clock: None,
            };
            let made = runtime.block_on(chancery_server::init(&folder.join("data"), options));
            let Initialised { config, enrolment_link, .. } =
                made.map_err(|fault| Failure::Fault(fault.to_string()))?;
            let running =
                runtime.block_on(Server::start(config)).map_err(|fault| Failure::Fault(fault.to_string()))?;
            let installation = Self { folder, url, enrolment_link, running: Some((runtime, running)) };
            let said = installation.server()?;
            tell.say(&format!(
                "{} answers; its log is {}, its policy {:.16}…",
                installation.url, said.log_origin, said.policy_sha256
            ));
            tell.result(json!(said));
            Ok(installation)
        })
    }

    /// Writes `trust/`, as `chancery trust seal` does.
    ///
    /// # Errors
    /// What `chancery trust seal` would say.
    pub fn seal(&self, story: &mut Story<'_>) -> Result<(), Failure> {
        story.step("seal", "The trust root is sealed", |tell| {
            let Some((runtime, _)) = &self.running else {
                return Err(Failure::Fault("no server".to_owned()));
            };
            let sealed = runtime.block_on(chancery_server::seal(&self.data(), SealOptions::default()));
            let sealed = sealed.map_err(|fault| Failure::Fault(fault.to_string()))?;
            require(self.server()?.sealed, "the server does not take the trust root up")?;
            tell.say("trust.json names the log, both administrators, the policy, the issuer, and floors");
            tell.say("that no verdict gets below. Whoever verifies later brings a copy of it along.");
            tell.result(json!({"trust_sha256": sealed.root.sha256().to_hex()}));
            Ok(())
        })
    }

    /// The server's web origin.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A folder that everybody on this machine may enter; the server's own in it is private.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where the trust root is.
    pub fn trust_folder(&self) -> PathBuf {
        self.data().join("trust")
    }

    /// Files of the trust root.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn trust_files(&self) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        trust_folder::read_files(&self.trust_folder())
    }

    /// The token in the first link.
    pub fn first_token(&self) -> &str {
        self.enrolment_link.rsplit_once('#').map_or("", |(_, token)| token)
    }

    /// A client that is nobody.
    ///
    /// # Errors
    /// None in practice.
    pub fn anonymous(&self) -> Result<Client, Failure> {
        Client::new(&self.url, None)
    }

    /// What the server says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn server(&self) -> Result<ServerInformation, Failure> {
        self.anonymous()?.read("/api/v1/server")
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some((runtime, running)) = self.running.take() {
            let _ = runtime.block_on(async { tokio::time::timeout(DRAIN, running.shutdown()).await });
            runtime.shutdown_timeout(DRAIN);
        }
        // What is left is in the temporary folder of the system.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Open to others, since sshd may run as somebody else; its name cannot be guessed.
fn make_folder() -> Result<PathBuf, Failure> {
    let folder = std::env::temp_dir().join(format!("chancery-demo-{}", random_text()?));
    DirBuilder::new().mode(0o755).create(&folder).map_err(|fault| Failure::file(&folder, fault))?;
    Ok(folder)
}

/// The public address is part of what is signed, so the port is chosen before the server starts.
fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let port = listener.and_then(|listener| listener.local_addr()).map(|address| address.port());
    port.map_err(|fault| Failure::Fault(format!("no free port: {fault}")))
}
