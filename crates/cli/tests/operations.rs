//! docs/operations, run as it is written: every `sh` block of its pages, in order, against a real server. And what a
//! service manager and a monitor see of a server that may not sign.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chancery_api::enrolment::Progress;
use chancery_cli::demo::people::invite;
use chancery_cli::demo::person::Person;
use serde_json::{Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A folder with an installation of its own, as the pages have it, and a port that is free.
struct Desk {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Desk {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let desk = Self { folder: tempfile::tempdir().unwrap(), port, server: None };
        desk.check(&format!(
            "chancery init --data ./chancery-data --public-url {0} --listen 127.0.0.1:{port} --log-origin localhost",
            desk.site()
        ));
        desk
    }

    fn site(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_chancery")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a block of a page, with this desk's port.
    fn run(&self, block: &str) -> (i32, String) {
        let block = block.replace("localhost:7420", &format!("localhost:{}", self.port));
        let output = self.command("bash").args(["-euo", "pipefail", "-c", &block]).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    #[track_caller]
    fn check(&self, block: &str) -> String {
        let (code, said) = self.run(block);
        assert_eq!(code, 0, "{block}\n{said}");
        said
    }

    /// Starts a server on a folder, with where it is to say that it is ready.
    fn start(&mut self, data: &str, notify: Option<&Path>) {
        let log = fs::File::create(self.path("server.log")).unwrap();
        let mut command = self.command("chancery");
        command
            .args(["server", "run", "--data", data, "--log-format", "json"])
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(socket) = notify {
            command.env("NOTIFY_SOCKET", socket);
        }
        self.server = Some(command.spawn().unwrap());
        self.await_answer("/healthz", |_| true);
    }

    /// Asks a path until the answer is as wanted.
    #[track_caller]
    fn await_answer(&self, path: &str, wanted: impl Fn(&(u16, Value)) -> bool) -> (u16, Value) {
        let begun = Instant::now();
        loop {
            let answer = self.ask(path);
            if let Some(answer) = answer.clone().filter(&wanted) {
                return answer;
            }
            let log = fs::read_to_string(self.path("server.log")).unwrap();
            assert!(begun.elapsed() < LIMIT, "{path}: {answer:?}\n{log}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, path: &str) -> Option<(u16, Value)> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.get(format!("http://127.0.0.1:{}{path}", self.port)).call().ok()?;
        let body = answer.body_mut().read_to_vec().ok()?;
        Some((answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// SIGTERM, and waits for the end.
    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill").arg(server.id().to_string()).status();
            server.wait().unwrap();
        }
    }

    /// Two administrators, who are signed in, and the root sealed.
    fn seal(&self) -> [Person; 2] {
        let link = fs::read_to_string(self.path("chancery-data/enrolment-link")).unwrap();
        let token = link.trim().split_once('#').unwrap().1;
        let (mut ada, _) = Person::enrol(&self.site(), "Ada", token).unwrap();
        ada.sign_in().unwrap();
        let invitation = invite(&ada, &["service_owner"]).unwrap();
        let (mut bo, _) = Person::enrol(&self.site(), "Bo", &invitation.token).unwrap();
        bo.sign_in().unwrap();
        self.check("chancery trust seal --data ./chancery-data");
        self.await_answer("/readyz", |(status, _)| *status == 200);
        [ada, bo]
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The blocks of a page that are to be run.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line == "```sh" {
            blocks.push(
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect(),
            );
        }
    }
    blocks
}

#[test]
fn install_ends_with_a_look() {
    let mut desk = Desk::new();
    desk.start("./chancery-data", None);
    let found = blocks(include_str!("../../../docs/operations/install.md"));
    assert_eq!(found.len(), 1);
    let said = desk.check(&found[0]);
    assert!(said.contains("permissions") && said.contains("not sealed yet"), "{said}");
}

#[test]
fn a_backup_is_made_mirrored_restored_and_adopted() {
    let mut desk = Desk::new();
    desk.start("./chancery-data", None);
    desk.seal();
    let page = blocks(include_str!("../../../docs/operations/backup.md"));
    let [make, mirror, restore, adopt, drill] = page.as_slice() else { panic!("{page:?}") };
    desk.check(make);
    // Something happens between the backup and the mirror, so that the way back has something to take in.
    let invited = desk.check("cat chancery-data/enrolment-link");
    assert!(invited.contains("/enrol#"));
    let (status, before) = desk.ask("/api/v1/server").unwrap();
    assert_eq!((status, before["sealed"].clone()), (200, json!(true)));
    desk.check(mirror);
    let said = desk.check(restore);
    assert!(said.contains("nothing is signed on it yet"), "{said}");
    let said = desk.check(adopt);
    assert!(said.contains("it may sign again"), "{said}");
    desk.check(drill);
    let report: Value = serde_json::from_slice(&fs::read(desk.path("doctor.json")).unwrap()).unwrap();
    let report = report.as_array().unwrap();
    assert!(report.len() > 12 && report.iter().all(|one| one["health"] != json!("BAD")), "{report:#?}");
    // A second restore goes nowhere.
    let (code, said) = desk.run(restore);
    assert!(code == 1 && said.contains("exists"), "{said}");
}

/// Both sign the trust root that waits.
fn sign(administrators: &[Person; 2], version: u64) {
    for (person, status) in administrators.iter().zip([Progress::Waiting, Progress::Recorded]) {
        let outcome = person.sign_trust().unwrap();
        assert_eq!((outcome.version, outcome.status), (version, status));
    }
}

#[test]
fn the_trust_root_the_authority_and_the_log_are_renewed() {
    let mut desk = Desk::new();
    desk.start("./chancery-data", None);
    let mut administrators = desk.seal();
    desk.check("cp -r ./chancery-data/trust ./trust-of-the-auditor");
    let page =
        include_str!("../../../docs/operations/rotation.md").replace("/var/lib/chancery", "./chancery-data");
    let page = blocks(&page);
    let [renew, diff, rotate_ca, retire_ca, rotate_log] = page.as_slice() else { panic!("{page:?}") };
    desk.check(renew);
    sign(&administrators, 2);
    let (code, said) = desk.run(diff);
    assert!(code == 1 && said.contains("version 2 follows version 1"), "{said}");
    desk.check(rotate_ca);
    let authorities = fs::read_to_string(desk.path("ssh-ca.pub")).unwrap();
    assert_eq!(authorities.lines().count(), 2, "{authorities}");
    sign(&administrators, 3);
    desk.check(retire_ca);
    sign(&administrators, 4);
    for line in rotate_log.lines() {
        match line.split('#').next().unwrap().trim() {
            "systemctl stop chancery" => desk.stop(),
            "systemctl start chancery" => desk.start("./chancery-data", None),
            command => drop(desk.check(command)),
        }
        if line.contains("two administrators sign in") {
            assert_eq!(desk.ask("/readyz").unwrap().1["code"], json!("log_closed"));
            administrators.iter_mut().for_each(|person| person.sign_in().unwrap());
            sign(&administrators, 5);
        }
    }
    desk.await_answer("/readyz", |(status, _)| *status == 200);
    let after = desk.check("curl -sf http://localhost:7420/log/checkpoint");
    assert_eq!(after.lines().next(), Some("log-2.example.org"), "{after}");
    let before = desk.check("curl -sf http://localhost:7420/lives/localhost/checkpoint");
    assert_eq!(before.lines().next(), Some("localhost"), "{before}");
    let (code, said) = desk.run(diff);
    assert!(code == 1 && said.contains("/logs"), "{said}");
    desk.check("chancery doctor --data ./chancery-data");
}

#[test]
fn a_held_server_says_so_to_everybody_and_makes_way() {
    let mut desk = Desk::new();
    desk.start("./chancery-data", None);
    desk.seal();
    desk.stop();
    desk.check("chancery backup --data ./chancery-data --out ./one --with-keys && chancery restore ./one --data ./restored");
    let socket = desk.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(LIMIT)).unwrap();
    desk.start("./restored", Some(&socket));
    let heard = |manager: &UnixDatagram| {
        let mut bytes = [0; 256];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert_eq!(heard(&manager), "READY=1\nSTATUS=held: nothing is signed\n");
    let (status, said) = desk.ask("/readyz").unwrap();
    assert_eq!((status, said["code"].clone()), (503, json!("log_held")), "{said}");
    let log = fs::read_to_string(desk.path("server.log")).unwrap();
    assert!(log.contains("HELD: ") && log.contains("came out of a backup"), "{log}");
    // Doctor says the same, with what to do, and exits with 1.
    let (code, said) = desk.run("chancery server doctor --data ./restored -o json");
    let report: Value = serde_json::from_str(said.trim()).unwrap();
    let bad: Vec<&Value> =
        report.as_array().unwrap().iter().filter(|one| one["health"] == json!("BAD")).collect();
    assert_eq!((code, bad.len(), bad[0]["subject"].clone()), (1, 1, json!("checkpoint")), "{said}");
    assert!(bad[0]["remedy"].as_str().unwrap().contains("incidents.md"), "{said}");
    // Nothing known: refused. What the old disk signed last: the very same, so it goes on, without a restart.
    let (code, said) = desk.run("chancery server adopt --data ./restored");
    assert!(code == 1 && said.contains("no checkpoint of this log is known"), "{said}");
    desk.check("chancery server adopt --data ./restored --checkpoint ./chancery-data/checkpoint/newest");
    desk.await_answer("/readyz", |(status, _)| *status == 200);
    assert_eq!(heard(&manager), "READY=1\nSTATUS=serving\n");
}
