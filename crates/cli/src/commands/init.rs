//! `chancery init`: a new installation.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use chancery_server::InitOptions;
use clap::Args;
use serde_json::json;

use super::server::{DataFolder, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Table};

/// `chancery init`
#[derive(Debug, Args)]
#[command(after_help = "\
The first administrator enrols with the link in DIR/enrolment-link: once, within 15 minutes.

Examples:
  chancery init --data ./chancery-data
  chancery init --data /var/lib/chancery --public-url https://chancery.example --log-origin log.chancery.example")]
pub struct Init {
    #[command(flatten)]
    data: DataFolder,
    /// Exact web origin; its host is the relying party of all passkeys, for good
    #[arg(long, value_name = "URL", default_value = "http://localhost:7420")]
    public_url: String,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,
    /// Name of the log, a bare host name, for good [default: the host of the web origin]
    #[arg(long, value_name = "NAME")]
    log_origin: Option<String>,
    /// A policy bundle to begin with [default: the built-in one]
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// A role of the first administrator, besides those of an administrator
    #[arg(long = "role", value_name = "NAME")]
    roles: Vec<String>,
}

impl Init {
    /// Makes it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let host = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split([':', '/']).next().unwrap_or_default().to_owned();
        let options = InitOptions {
            public_url: self.public_url,
            listen: self.listen,
            log_origin: self.log_origin.unwrap_or(host),
            policy: self.policy,
            roles: self.roles.into_iter().collect::<BTreeSet<_>>(),
            clock: None,
        };
        let folder = self.data.path();
        let made = runtime()?.block_on(chancery_server::init(folder, options));
        let made = made.map_err(|fault| Failure::Fault(fault.to_string()))?;
        // The link itself is a secret for a quarter of an hour: it stays in its file.
        let said = json!({
            "data": folder, "public_url": made.config.public_url, "log_origin": made.config.log_origin,
            "listen": made.config.listen, "enrolment_link_file": made.enrolment_link_file,
        });
        output.show(&said, |output| {
            let mut table = Table::default();
            table.pair("data", &folder.display().to_string());
            table.pair("public url", &made.config.public_url);
            table.pair("log origin", &made.config.log_origin);
            table.pair("listens on", &made.config.listen.to_string());
            table.pair("first link", &made.enrolment_link_file.display().to_string());
            table.render(output, "")
        })?;
        output.note(&format!(
            "next: chancery server run --data '{0}', and within 15 minutes open the link in {1}",
            folder.display(),
            made.enrolment_link_file.display()
        ));
        Ok(Exit::Done)
    }
}
