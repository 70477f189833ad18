//! Opens a page for the person to sign on. The address is always printed too.

use std::process::{Command, Stdio};

use crate::output::{Output, Tone};

/// Shows the address, and opens it where a person sits at a desktop.
pub fn open(output: &Output, url: &str, may_open: bool) {
    output.note(&format!("open {}", output.on_stderr(Tone::Strong, url)));
    if !may_open || !output.is_interactive() {
        return;
    }
    let chosen = std::env::var("BROWSER").ok().filter(|program| !program.is_empty());
    let desktop = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
    let program = match (chosen, cfg!(target_os = "macos"), desktop) {
        (Some(program), _, _) => program,
        (None, true, _) => "open".to_owned(),
        (None, false, true) => "xdg-open".to_owned(),
        (None, false, false) => return,
    };
    let started = Command::new(&program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(fault) = started {
        output.detail(&format!("cannot run `{program}`: {fault}"));
    }
}
