//! After the story: the server stays, with something to decide, for whoever wants to try it by hand.

use std::thread;
use std::time::Duration;

use chancery_api::enrolment::EnrolmentList;

use super::Scene;
use super::access::ask_once_more;
use super::people::{invite, let_in};
use super::story::Story;
use crate::commands::request::read;
use crate::failure::Failure;
use crate::moment;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Serves until Ctrl-C. Whoever enrols by the link is let in by both administrators of the demonstration.
pub fn serve(scene: &Scene, story: &mut Story<'_>) -> Result<(), Failure> {
    let invitation =
        invite(&scene.cast.administrators.first, &["auditor", "engineer", "security", "service_owner"])?;
    let request = ask_once_more(scene)?;
    let url = scene.installation.url();
    story.print(&format!(
        "\nStill serving at {}. Try it by hand, in a browser on this machine:",
        story.strong(url)
    ));
    story
        .print("  1. enrol a passkey of your own; Ada and Bo sign for you at once (the link works one time)");
    story.print(&format!("     {}", story.strong(&invitation.url)));
    story.print(
        "  2. read and approve what Eve asks for; Sol has approved, the service owner's seat is yours",
    );
    story.print(&format!("     {}", story.strong(&format!("{url}/review/{}", request.id))));
    // Read again as Eve, who alone is shown them.
    if let Some(digits) = read(scene.cast.engineer.client()?, &request.id)?.matching_number {
        story.print(&format!(
            "     Eve was shown the digits {}; the page asks for them",
            story.strong(&digits)
        ));
    }
    story.print("Ctrl-C ends it; nothing of it stays but the folder above.");
    let stop = stop_signal()?;
    loop {
        if stop.recv_timeout(LOOK_EVERY).is_ok() {
            return Ok(());
        }
        // What goes wrong here is the visitor's to see on the page, and no reason to stop serving.
        if let Err(failure) = let_in_visitors(scene, story) {
            story.print(&format!("  ({failure})"));
            thread::sleep(LOOK_EVERY * 5);
        }
    }
}

fn let_in_visitors(scene: &Scene, story: &Story<'_>) -> Result<(), Failure> {
    let administrators = &scene.cast.administrators;
    let waiting: EnrolmentList = administrators.first.client()?.read("/api/v1/enrolments")?;
    for enrolment in waiting.items.iter().filter(|enrolment| enrolment.act == "person.created") {
        let_in(administrators, &enrolment.enrolment)?;
        let name = crate::output::clean(&enrolment.name);
        story.print(&format!(
            "  {name} is let in by Ada and Bo ({}); sign in at {}/sign-in",
            moment::now()?,
            scene.installation.url()
        ));
    }
    Ok(())
}

/// A channel that gets a message on Ctrl-C.
fn stop_signal() -> Result<std::sync::mpsc::Receiver<()>, Failure> {
    let fault = |fault: std::io::Error| Failure::Fault(format!("cannot wait for Ctrl-C: {fault}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(fault)?;
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            let _ = sender.send(());
        }
    });
    Ok(receiver)
}
