//! Waits for a request to be decided: told by events, and asking now and then in case none come.

use std::io::Write as _;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use chancery_api::request::RequestView;

use crate::client::{self, Client};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};

const TICK: Duration = Duration::from_millis(120);
/// Events tell at once; this is for servers and proxies that let none through.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// A server that is restarted is waited for, this long.
const PATIENCE: Duration = Duration::from_secs(60);
const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How waiting ended.
#[derive(Debug)]
pub enum Waited<T> {
    /// It came.
    Until(T),
    /// The time for it is over; nothing was decided.
    TimedOut,
}

/// Ctrl-C from here on ends this program with 130 and says which request stays open.
///
/// # Errors
/// When signals cannot be received.
pub fn announce_on_interrupt(request: &str, output: &Output) -> Result<(), Failure> {
    let fault = |fault: std::io::Error| Failure::Fault(format!("cannot wait for Ctrl-C: {fault}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(fault)?;
    let (request, output) = (request.to_owned(), output.clone());
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            if output.may_spin() {
                let _ = write!(std::io::stderr(), "\r\u{1b}[K");
            }
            output.note(&format!(
                "interrupted; request {request} stays open: `chancery request wait {request}`"
            ));
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    Ok(())
}

/// Reads a request again and again until `done` finds something, or the limit is reached.
///
/// # Errors
/// What the server says; a server that cannot be reached only after a minute.
pub fn for_request<T>(
    client: &Client,
    request: &str,
    limit: Option<Duration>,
    output: &Output,
    mut done: impl FnMut(&RequestView) -> Option<T>,
) -> Result<Waited<T>, Failure> {
    let changes = client::follow(client, request);
    let path = format!("/api/v1/requests/{request}");
    let start = Instant::now();
    let mut spinner = Spinner::new(output);
    let mut asked = Instant::now();
    let mut last_answer = Instant::now();
    let mut view: RequestView = client.read(&path)?;
    loop {
        if let Some(value) = done(&view) {
            return Ok(Waited::Until(value));
        }
        if limit.is_some_and(|limit| start.elapsed() >= limit) {
            return Ok(Waited::TimedOut);
        }
        spinner.turn(&progress(&view));
        match changes.recv_timeout(TICK) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) if asked.elapsed() < ASK_EVERY => continue,
            Err(RecvTimeoutError::Timeout) => {}
            // The thread is gone: then asking has to do.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(ASK_EVERY.saturating_sub(asked.elapsed())),
        }
        asked = Instant::now();
        match client.read(&path) {
            Ok(newer) => {
                view = newer;
                last_answer = Instant::now();
            }
            Err(Failure::Unreachable { .. }) if last_answer.elapsed() < PATIENCE => {}
            Err(failure) => return Err(failure),
        }
    }
}

/// `pending: service_owner 0/1, security 1/1`.
fn progress(view: &RequestView) -> String {
    let stages: Vec<String> = view
        .stages
        .iter()
        .map(|stage| format!("{} {}/{}", stage.id, stage.approved_by.len(), stage.quorum))
        .collect();
    if stages.is_empty() { view.state.clone() } else { format!("{}: {}", view.state, stages.join(", ")) }
}

/// A line that turns on a terminal and is wiped when it is dropped.
struct Spinner<'a> {
    output: &'a Output,
    frame: usize,
    shown: bool,
}

impl<'a> Spinner<'a> {
    fn new(output: &'a Output) -> Self {
        Self { output, frame: 0, shown: false }
    }

    fn turn(&mut self, text: &str) {
        if !self.output.may_spin() {
            return;
        }
        let frame = FRAMES.get(self.frame % FRAMES.len()).copied().unwrap_or_default();
        self.frame += 1;
        self.shown = true;
        let text = self.output.on_stderr(Tone::Faint, &crate::output::clean(text));
        let mut stderr = std::io::stderr();
        // Wrapping off and on again (DECAWM): where the terminal is narrower, a turn must not become a new line.
        let _ = write!(stderr, "\r\u{1b}[K\u{1b}[?7l{frame} {text}\u{1b}[?7h").and_then(|()| stderr.flush());
    }
}

impl Drop for Spinner<'_> {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
