//! Running a server, and looking after one.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

use chancery_server::doctor::{Finding, Health, doctor, rebuild};
use chancery_server::held::{Held, Released};
use chancery_server::{Clock, Config, Ended, Server as Service, ServerError, StartError};
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
    /// Serve until SIGTERM or Ctrl-C (twice: at once): API, signing page, log, issuer
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
    /// Go on from a restored backup, once it was compared with what is known elsewhere
    Adopt(super::backup::Adopt),
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
#[command(after_help = "\
Exits with 1 when something is to be mended. It changes nothing, but for --rebuild=write.

Examples:
  chancery doctor --data /var/lib/chancery
  chancery doctor --data /var/lib/chancery --rebuild=write    while the server is stopped")]
pub struct Doctor {
    #[command(flatten)]
    data: DataFolder,
    /// Only make the read model from its events again: compare it with the stored one, or write it
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "compare")]
    #[arg(require_equals = true)]
    rebuild: Option<How>,
}

/// What becomes of rows that differ from their events. (Variants are commented with `//`: clap would print them.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum How {
    // they are listed
    Compare,
    // they are stored anew; no server may run on the folder
    Write,
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
            Self::Adopt(adopt) => adopt.run(output),
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
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        loop {
            if let Some(ended) = hold_or_serve(&config, output).await? {
                return Ok(ended);
            }
        }
    });
    // Nothing more is waited for: what was acknowledged is on the disk, whatever still runs.
    runtime.shutdown_background();
    match ended.map_err(|fault: ServerError| Failure::Fault(fault.to_string()))? {
        Ended::Drained => Ok(Exit::Done),
        Ended::Late => {
            output.note(
                "some requests were still under way (`limits.drain_seconds`); none of them was acknowledged",
            );
            Ok(Exit::Done)
        }
        Ended::Cut => Ok(Exit::Interrupted),
    }
}

/// Serves until a signal comes. Where nothing may be signed, only takes back what is due, until that changes.
/// `None`: it has changed.
async fn hold_or_serve(config: &Config, output: &Output) -> Result<Option<Ended>, ServerError> {
    match Service::start(config.clone()).await {
        Ok(running) => {
            output.note(&format!("serving {} on {}", config.public_url, running.address()));
            notify_ready("serving");
            Ok(Some(running.until_signal().await))
        }
        Err(ServerError::Start(reason)) if reason.holds_signing() => {
            let clock = Clock::system().map_err(StartError::from)?;
            let held = Held::start(config.clone(), clock, &reason).await?;
            output.note(&format!("HELD: {reason}"));
            output.note(&format!(
                "nothing is signed or minted; due revocations go on, on {}; docs/operations/incidents.md says what to do",
                held.address()
            ));
            notify_ready("held: nothing is signed");
            let released = held.until_released(stop_signal()).await;
            Ok((released == Released::Stopped).then_some(Ended::Drained))
        }
        Err(fault) => Err(fault),
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Tells the service manager, where one waits for it (sd_notify(3)): one datagram to `$NOTIFY_SOCKET`.
fn notify_ready(status: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let message = format!("READY=1\nSTATUS={status}\n");
    let sent = notify_address(&name)
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address));
    if let Err(fault) = sent {
        tracing::warn!(%fault, "the service manager was not told that the server is ready");
    }
}

/// A path, or after `@` a name in the abstract namespace.
fn notify_address(name: &std::ffi::OsStr) -> std::io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
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
        if let Some(how) = self.rebuild {
            return self.rebuild(how, output);
        }
        let findings = runtime()?.block_on(doctor(self.data.path()));
        let said: Vec<Value> = findings.iter().map(to_json).collect();
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
                if !finding.remedy.is_empty() {
                    table.toned(vec![
                        (None, String::new()),
                        (None, String::new()),
                        (Some(Tone::Faint), format!("→ {}", finding.remedy)),
                    ]);
                }
            }
            table.render(output, "nothing was examined")
        })?;
        let bad = findings.iter().any(|finding| finding.health == Health::Bad);
        Ok(if bad { Exit::Error } else { Exit::Done })
    }

    /// Compares or rewrites; exits with 1 when rows differed and were left as they are.
    fn rebuild(&self, how: How, output: &Output) -> Result<Exit, Failure> {
        let write = how == How::Write;
        let differed = runtime()?.block_on(rebuild(self.data.path(), write)).map_err(Failure::Fault)?;
        output.show(&json!({"differed": differed, "written": write}), |_| match (differed.len(), write) {
            (0, _) => "every row is what its events make".to_owned(),
            (count, true) => format!("{count} rows were not what their events make, and are now"),
            (_, false) => format!("these rows are not what their events make:\n{}\n", differed.join("\n")),
        })?;
        Ok(if differed.is_empty() || write { Exit::Done } else { Exit::Error })
    }
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "subject": finding.subject, "health": word(finding), "detail": finding.detail, "remedy": finding.remedy,
    })
}

fn word(finding: &Finding) -> &'static str {
    match finding.health {
        Health::Good => "good",
        Health::Notice => "notice",
        Health::Bad => "BAD",
    }
}
