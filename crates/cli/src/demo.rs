//! `chancery demo`: the whole way of a request, on real parts, told step by step.
//!
//! Nothing is mocked: a server with its log, policy and issuer; an OpenSSH server that trusts nothing but the
//! installation's authority and its revocation list; people whose passkeys live in software. Every step checks what
//! it tells, so the demonstration is also a test: one step that comes out otherwise ends it with exit code 1.

mod access;
mod host;
pub mod installation;
mod keep_serving;
mod out;
pub mod people;
pub mod person;

mod proof;
mod stage;
mod story;

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub use stage::Stage;

use installation::Installation;
use out::OutFolder;
use story::Story;

/// `chancery demo`
#[derive(Debug, Args)]
#[command(after_help = "\
Leaves in DIR: evidence.zip, tampered.zip, trust/, log/ (the tiles), revoked.krl and transcript.json.

Examples:
  chancery demo
  chancery demo --once --out ./demo-out && \\
    chancery verify demo-out/evidence.zip --trust demo-out/trust --log demo-out/log")]
pub struct Demo {
    /// End when everything was shown, instead of serving on for you to try
    #[arg(long)]
    once: bool,
    /// Where to leave evidence, trust, log and transcript
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    out: PathBuf,
}

impl Demo {
    /// Tells it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let out = OutFolder::prepare(&self.out)?;
        let mut story = Story::begin(output);
        let told = tell(&mut story, &out);
        let kept = told.as_ref().ok().map(|scene| scene.installation.url().to_owned());
        story.write(&out, kept.as_deref(), told.is_ok())?;
        let scene = told?;
        story.close(&out)?;
        if !self.once && std::io::stdout().is_terminal() {
            keep_serving::serve(&scene, &mut story)?;
        }
        Ok(Exit::Done)
    }
}

/// Who and what is on the stage.
pub struct Scene {
    installation: Installation,
    cast: people::Cast,
    host: host::Host,
}

fn tell(story: &mut Story<'_>, out: &OutFolder) -> Result<Scene, Failure> {
    let installation = Installation::make(story)?;
    let administrators = people::enrol_administrators(story, &installation)?;
    installation.seal(story)?;
    let cast = people::enrol_people(story, &installation, administrators)?;
    let host = host::Host::start(story, &installation)?;
    let scene = Scene { installation, cast, host };

    access::policy_denies(story, &scene)?;
    let request = access::ask(story, &scene)?;
    access::own_approval_is_refused(story, &scene, &request)?;
    access::two_people_approve(story, &scene, &request)?;
    let credential = access::credential_is_issued(story, &scene, &request)?;
    access::login_works(story, &scene, &credential)?;
    access::revocation_ends_it(story, &scene, &request, &credential)?;
    access::the_clock_ends_it(story, &scene)?;

    proof::export(story, &scene, &request, out)?;
    proof::verify_offline(story, out)?;
    proof::one_byte_is_noticed(story, out)?;
    Ok(scene)
}
