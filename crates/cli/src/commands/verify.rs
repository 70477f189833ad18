//! `chancery verify`: evidence against one's own trust directory, offline.

use std::path::PathBuf;

use chancery_evidence::report;
use chancery_evidence::verify::{NewerLog, Options, Verification, verify_zip};
use chancery_issuer::issue::read_certificate;
use chancery_ledger::Note;
use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_source::LogSource;
use crate::moment;
use crate::output::{Output, Tone};
use crate::trust_folder;

/// `chancery verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Exits with 0 when every check passes, with 9 when one fails, with 2 when FILE or DIR cannot be read at all.
No network and no server are needed; with --log a newer log is read to see what came after.

Examples:
  chancery verify evidence.zip --trust ./trust
  chancery verify evidence.zip --trust ./trust --log https://chancery.example --report report.html")]
pub struct Verify {
    /// The evidence bundle
    file: PathBuf,
    /// Your own trust directory, never the copy inside the bundle
    #[arg(long, value_name = "DIR")]
    trust: PathBuf,
    /// A newer log, to see that nothing was cut off: a server or a folder with its tiles
    #[arg(long, value_name = "URL|DIR")]
    log: Option<String>,
    /// What must succeed that may otherwise be skipped: evaluating the verdict again
    #[arg(long, value_enum, value_name = "WHAT")]
    require: Vec<Require>,
    /// Also write the story for people, from what was verified
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// What may be required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Require {
    // the verdict must come out again, byte for byte
    Replay,
}

impl Verify {
    /// Verifies.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let zip = std::fs::read(&self.file)
            .map_err(|fault| Failure::Usage(format!("`{}` cannot be read: {fault}", self.file.display())))?;
        let trust = trust_folder::read(&self.trust)?;
        let newer = self.log.as_deref().map(Newer::read).transpose()?;
        let leaves = newer.as_ref().map(|newer| newer.source.leaves(newer.size));
        let leaf = |index: u64| leaves.as_ref().and_then(|leaves| leaves.read(index));
        let newer_log = newer.as_ref().map(|newer| NewerLog { checkpoint: &newer.checkpoint, leaf: &leaf });
        let options = Options {
            newer_log: newer_log.as_ref(),
            require_replay: self.require.contains(&Require::Replay),
            without_replay: false,
            policy: None,
            certificates: Some(&read_certificate),
            now: Some(moment::now()?),
        };
        let verification = verify_zip(&zip, &trust, &options);
        if let Some(path) = &self.report {
            std::fs::write(path, report::render(&verification))
                .map_err(|fault| Failure::file(path, fault))?;
            output.note(&format!("report: {}", path.display()));
        }
        output.show(&verification.to_json(), |output| painted(&verification, output))?;
        Ok(if verification.passed() { Exit::Done } else { Exit::Unverified })
    }
}

/// A log that may be newer than the evidence.
struct Newer {
    source: LogSource,
    checkpoint: Vec<u8>,
    /// As the checkpoint claims; verification judges it.
    size: u64,
}

impl Newer {
    fn read(text: &str) -> Result<Self, Failure> {
        let source = LogSource::parse(text)?;
        let checkpoint = source.checkpoint()?;
        let note = Note::parse(&checkpoint).ok();
        let size = note.and_then(|note| note.text().lines().nth(1).and_then(|line| line.parse().ok()));
        Ok(Self { source, checkpoint, size: size.unwrap_or_default() })
    }
}

/// The words say it all; colour only helps to find them.
pub fn painted(verification: &Verification, output: &Output) -> String {
    let paint = |line: &str| match line.split_at_checked(4) {
        Some(("pass", rest)) => format!("{}{rest}", output.paint(Tone::Good, "pass")),
        Some(("FAIL", rest)) => format!("{}{rest}", output.paint(Tone::Bad, "FAIL")),
        Some(_) | None if line.starts_with("VERIFICATION FAILED") => output.paint(Tone::Bad, line),
        Some(_) | None if line.starts_with("verified") => output.paint(Tone::Good, line),
        Some(_) | None => line.to_owned(),
    };
    reached(&verification.to_text()).lines().map(|line| paint(line) + "\n").collect()
}

/// Without what was not reached: where nothing could be read, sixty lines would say the same.
fn reached(text: &str) -> String {
    const NOT_REACHED: &str = "not reached: an earlier check failed";
    let mut kept: Vec<String> = Vec::new();
    let (mut checks, mut said) = (0_usize, false);
    for line in text.lines() {
        if line.trim() == NOT_REACHED {
            kept.pop();
            checks += 1;
        } else if !line.contains(NOT_REACHED) {
            kept.push(line.to_owned());
        } else if !said {
            kept.push(format!("  - what {checks} further checks would show: they were not reached"));
            said = true;
        }
    }
    kept.join("\n")
}
