//! Running a server, and looking after one.

use std::path::{Path, PathBuf};

use chancery_server::doctor::{Finding, Health, doctor};
use chancery_server::{Config, Server as Service, ServerError};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Table, Tone};

/// `chancery server`
#[derive(Debug, Subcommand)]
pub enum Server {
    /// Serve until SIGTERM or Ctrl-C: API, signing page, log, issuer
    #[command(
        after_help = "Example:\n  chancery server run --data /var/lib/chancery --log-format json\n\nRUST_LOG chooses what is logged, like RUST_LOG=debug."
    )]
    Run {
        #[command(flatten)]
        data: DataFolder,
        /// The form of the log on stderr
        #[arg(long, value_enum, default_value_t, value_name = "FORM")]
        log_format: LogFormat,
    },
    /// Check chancery.toml, and print what it amounts to
    CheckConfig(DataFolder),
    /// Examine an installation, beside a running server or without one
    Doctor(Doctor),
}

/// Where an installation is.
#[derive(Debug, Args)]
pub struct DataFolder {
    /// The installation's folder
    #[arg(long, value_name = "DIR", env = "CHANCERY_DATA", hide_env = true)]
    data: PathBuf,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// `chancery doctor`
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 when something is to be mended.\n\nExample:\n  chancery doctor --data /var/lib/chancery"
)]
pub struct Doctor {
    #[command(flatten)]
    data: DataFolder,
    /// Show only how the rebuilt read models compare with the stored ones (they are rebuilt in any case)
    #[arg(long)]
    rebuild: bool,
}

impl DataFolder {
    /// The path.
    pub fn path(&self) -> &Path {
        &self.data
    }
}

impl Server {
    /// Does it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self {
            Self::Run { data, log_format } => serve(data.path(), log_format, output),
            Self::CheckConfig(data) => check_config(data.path(), output),
            Self::Doctor(doctor) => doctor.run(output),
        }
    }
}

/// Threads for a server.
pub fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|fault| Failure::Fault(format!("cannot start threads: {fault}")))
}

fn serve(data: &Path, log_format: LogFormat, output: &Output) -> Result<Exit, Failure> {
    let config = config(data)?;
    log_to_stderr(log_format);
    let public_url = config.public_url.clone();
    runtime()?
        .block_on(async {
            let running = Service::start(config).await?;
            output.note(&format!("serving {public_url} on {}", running.address()));
            running.until_signal().await;
            Ok(Exit::Done)
        })
        .map_err(|fault: ServerError| Failure::Fault(fault.to_string()))
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.with_target(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

fn config(data: &Path) -> Result<Config, Failure> {
    Config::read_from(data).map_err(|fault| Failure::Fault(fault.to_string()))
}

fn check_config(data: &Path, output: &Output) -> Result<Exit, Failure> {
    let config = config(data)?;
    output.show(&config, |_| config.to_toml())?;
    Ok(Exit::Done)
}

impl Doctor {
    /// Examines.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut findings = runtime()?.block_on(doctor(self.data.path()));
        if self.rebuild {
            findings.retain(|finding| {
                matches!(finding.subject, "configuration" | "log key" | "journal" | "integrity")
            });
        }
        let said: Vec<Value> = findings
            .iter()
            .map(|finding| json!({"subject": finding.subject, "health": word(finding), "detail": finding.detail}))
            .collect();
        output.show_all(&said, |output| {
            let mut table = Table::default();
            for finding in &findings {
                let tone = match finding.health {
                    Health::Good => Tone::Good,
                    Health::Notice => Tone::Strong,
                    Health::Bad => Tone::Bad,
                };
                table.toned(vec![
                    (Some(tone), word(finding).to_owned()),
                    (None, finding.subject.to_owned()),
                    (None, finding.detail.clone()),
                ]);
            }
            table.render(output, "nothing was examined")
        })?;
        let bad = findings.iter().any(|finding| finding.health == Health::Bad);
        Ok(if bad { Exit::Error } else { Exit::Done })
    }
}

fn word(finding: &Finding) -> &'static str {
    match finding.health {
        Health::Good => "good",
        Health::Notice => "notice",
        Health::Bad => "BAD",
    }
}
