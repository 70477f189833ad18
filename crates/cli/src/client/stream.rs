//! What happens at the server, as it happens: server-sent events, read in a thread of their own.

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use chancery_api::event::CloudEvent;

use super::{Client, Extras};

const RECONNECT_AFTER: Duration = Duration::from_secs(3);

/// A channel that gets a message whenever something happened to one request, or may have.
pub type Changes = Receiver<()>;

/// Follows one request. The thread ends with the receiver; a server without events just sends none, so the
/// caller asks now and then anyway.
pub fn follow(client: &Client, request: &str) -> Changes {
    let (sender, receiver) = channel();
    let (client, subject) = (client.clone(), format!("request/{request}"));
    thread::spawn(move || {
        while sender_lives(&sender) {
            read_events(&client, &subject, &sender);
            thread::sleep(RECONNECT_AFTER);
        }
    });
    receiver
}

/// A message too many only makes the caller ask once more.
fn sender_lives(sender: &Sender<()>) -> bool {
    sender.send(()).is_ok()
}

/// No `Last-Event-ID`: what was missed between two connections is made up for by the message before each.
fn read_events(client: &Client, subject: &str, sender: &Sender<()>) {
    let Ok(response) = client.open("GET", "/api/v1/events", None, Extras::default(), None) else { return };
    if response.status() != 200 {
        return;
    }
    let mut event = String::new();
    for line in BufReader::new(response.into_body().into_reader()).lines() {
        let Ok(line) = line else { return };
        match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
            Some(("event", name)) => event = name.to_owned(),
            Some(("data", data)) if event == "gap" || concerns(data, subject) => {
                if sender.send(()).is_err() {
                    return;
                }
            }
            Some(_) => {}
            None => event.clear(),
        }
    }
}

fn concerns(data: &str, subject: &str) -> bool {
    serde_json::from_str::<CloudEvent>(data).is_ok_and(|event| event.subject == subject)
}
