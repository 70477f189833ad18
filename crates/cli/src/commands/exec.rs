//! `chancery exec ID -- CMD…`: a credential for as long as one command runs, and not longer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::client;
use crate::commands::grant::{self, Ready};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::moment;

const AGENT_LIMIT: Duration = Duration::from_secs(5);

/// `chancery exec`
#[derive(Debug, Args)]
#[command(after_help = "\
The command runs with an ssh-agent that holds the key and its certificate, and with
CHANCERY_SSH_KEY, CHANCERY_SSH_CERTIFICATE and CHANCERY_REQUEST in its environment.

Examples:
  chancery exec 01JD3Z5YQX8M0V4K2T7B9C6E1A -- ssh deploy@web-1 df -h
  chancery exec 01JD3Z5YQX8M0V4K2T7B9C6E1A -- ansible-playbook -i inventory restart.yml

Exits with the command's own code.")]
pub struct Exec {
    /// The grant
    id: String,
    /// Let the grant run on when the command ends
    #[arg(long)]
    keep: bool,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Exec {
    /// Runs the command.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let client = context.client()?;
        let ready = grant::credential(&client, &self.id)?;
        let output = context.output;
        output.detail(&format!("credential until {}", ready.credential.not_after));
        let agent = Agent::start(&ready);
        let socket = match &agent {
            Ok(agent) => Some(agent.socket.as_path()),
            Err(failure) => {
                output.note(&format!(
                    "no ssh-agent ({failure}); use CHANCERY_SSH_KEY and CHANCERY_SSH_CERTIFICATE"
                ));
                None
            }
        };
        let result = run_child(&self.command, &self.id, &ready, socket);
        drop(agent);
        if !self.keep
            && let Err(failure) = grant::end(&client, &self.id)
        {
            output.note(&format!("the grant was not ended ({failure}); it ends by its clock"));
        }
        result
    }
}

fn run_child(command: &[OsString], id: &str, ready: &Ready, socket: Option<&Path>) -> Result<Exit, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::Usage("name a command after `--`".to_owned()));
    };
    let mut child = Command::new(program);
    child
        .args(arguments)
        .env("CHANCERY_REQUEST", id)
        .env("CHANCERY_SSH_KEY", &ready.identity)
        .env("CHANCERY_SSH_CERTIFICATE", &ready.certificate_file);
    if let Some(socket) = socket {
        child.env("SSH_AUTH_SOCK", socket);
    }
    // Ctrl-C reaches the child, which is in our group; this program waits for it and then ends the grant.
    let _interrupts = IgnoreInterrupts::start();
    let status = child
        .status()
        .map_err(|fault| Failure::Fault(format!("cannot run `{}`: {fault}", program.to_string_lossy())))?;
    Ok(Exit::Child(exit_code(&status)))
}

/// As shells have it: 128 + signal.
fn exit_code(status: &std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// While it lives, Ctrl-C does not end this program.
struct IgnoreInterrupts;

impl IgnoreInterrupts {
    fn start() -> Self {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() {
            // Receiving the signal replaces its default, which would end the program before the grant is ended.
            thread::spawn(move || while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {});
        }
        Self
    }
}

/// An ssh-agent of its own: the user's keys are not in it, and it forgets at the credential's end.
struct Agent {
    process: Child,
    socket: PathBuf,
    folder: PathBuf,
}

impl Agent {
    fn start(ready: &Ready) -> Result<Self, Failure> {
        let fault = |fault: std::io::Error| Failure::Fault(format!("cannot run `ssh-agent`: {fault}"));
        // A short path: socket names are limited to about a hundred bytes.
        let folder = std::env::temp_dir().join(format!("chancery-{}", client::random_text()?));
        files::make_private_folder(&folder)?;
        let socket = folder.join("agent");
        let process = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fault)?;
        let agent = Self { process, socket, folder };
        let start = Instant::now();
        while !agent.socket.exists() {
            if start.elapsed() > AGENT_LIMIT {
                return Err(Failure::Fault("`ssh-agent` did not start".to_owned()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        agent.add(ready)?;
        Ok(agent)
    }

    fn add(&self, ready: &Ready) -> Result<(), Failure> {
        let fault = |fault: std::io::Error| Failure::Fault(format!("cannot run `ssh-add`: {fault}"));
        let left = ready
            .credential
            .not_after
            .parse::<chancery_domain::time::Timestamp>()
            .map_or(1, |end| end.unix().saturating_sub(moment::unix_now()).max(1));
        // The certificate lies beside the key, where ssh-add looks for it.
        let added = Command::new("ssh-add")
            .args(["-q", "-t", &left.to_string()])
            .arg(&ready.identity)
            .env("SSH_AUTH_SOCK", &self.socket)
            .env("SSH_ASKPASS_REQUIRE", "never")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .map_err(fault)?;
        if added.success() {
            Ok(())
        } else {
            Err(Failure::Fault("`ssh-add` did not take the key".to_owned()))
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
