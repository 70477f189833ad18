//! A real sshd lets certificates in, and keeps them out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod ssh_support;

use chancery_issuer::ssh::{Authority, CertificateRequest, Krl, SubjectKey};
use chancery_testkit::sshd::{Sshd, destination, ssh_command, ssh_run};
use ssh_support::{NONCE, authority, key_pair, open_folder, public_line, write_certificate};
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// An authority, a target that trusts it, and a person's key.
struct Scene {
    folder: TempDir,
    authority: Authority,
    list: Krl,
    sshd: Sshd,
    key: PathBuf,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Scene {
    fn new() -> Self {
        let folder = open_folder();
        let authority = authority(folder.path());
        let list = Krl::empty(*authority.key(), now(), "chancery").unwrap();
        list.publish(&folder.path().join("revoked.krl")).unwrap();
        let krl = folder.path().join("revoked.krl");
        let sshd = Sshd::start(&authority.key().line("chancery"), &krl, &folder.path().join("sshd")).unwrap();
        let key = key_pair(folder.path(), "person", "ed25519", "256");
        Self { folder, authority, list, sshd, key }
    }

    /// Good for the login user for an hour.
    fn request(&self, serial: u64) -> CertificateRequest {
        let subject = SubjectKey::parse(&public_line(&self.key)).unwrap();
        let key_id = format!("lease/{serial}");
        CertificateRequest::new(
            subject,
            serial,
            &key_id,
            &[&self.sshd.principal()],
            now() - 5..now() + 3600,
            NONCE,
        )
    }

    fn certificate(&self, request: &CertificateRequest) -> PathBuf {
        write_certificate(&self.authority, request, self.folder.path(), &request.serial.to_string())
    }

    fn run(&self, request: &CertificateRequest, command: &str) -> Output {
        ssh_run(&self.sshd, &self.key, &self.certificate(request), command).unwrap()
    }

    fn admitted(&self, request: &CertificateRequest) -> bool {
        let output = self.run(request, "echo inside");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(0) => assert_eq!(text, "inside\n"),
            Some(255) => {
                assert!(String::from_utf8_lossy(&output.stderr).contains("Permission denied"), "{output:?}");
            }
            _ => panic!("{output:?}\n{}", self.sshd.log().unwrap()),
        }
        output.status.success()
    }

    fn revoke(&mut self, change: impl FnOnce(&mut Krl)) {
        self.list = self.list.next(now()).unwrap();
        change(&mut self.list);
        self.list.publish(&self.folder.path().join("revoked.krl")).unwrap();
    }
}

#[test]
fn a_certificate_logs_in_and_is_named_in_the_log() {
    let scene = Scene::new();
    let output = scene.run(&scene.request(41), "echo \"$USER\"; exit 7");
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), scene.sshd.login_user());
    let log = scene.sshd.log().unwrap();
    assert!(log.contains("ID lease/41 (serial 41)"), "{log}");
    assert!(log.contains(&scene.authority.key().fingerprint()), "{log}");
}

#[test]
fn every_kind_of_key_that_can_sign_here_logs_in() {
    let mut scene = Scene::new();
    for (serial, kind, bits) in [(1, "ecdsa", "256"), (2, "rsa", "2048"), (3, "ed25519", "256")] {
        scene.key = key_pair(scene.folder.path(), &format!("another-{kind}"), kind, bits);
        assert!(scene.admitted(&scene.request(serial)), "{kind}");
    }
}

#[test]
fn a_revoked_certificate_is_refused_at_once_and_no_other() {
    let mut scene = Scene::new();
    assert!(scene.admitted(&scene.request(5)));
    scene.revoke(|list| list.revoke(5).unwrap());
    assert!(!scene.admitted(&scene.request(5)));
    assert!(scene.admitted(&scene.request(6)));
    scene.revoke(|list| list.revoke_key_id("lease/6").unwrap());
    assert!(!scene.admitted(&scene.request(6)));
    assert!(scene.admitted(&scene.request(7)));
    scene.revoke(|list| list.revoke_range(1..=u64::MAX).unwrap());
    assert!(!scene.admitted(&scene.request(u64::MAX)));
    let log = scene.sshd.log().unwrap();
    assert!(log.contains("revoked"), "{log}");
}

#[test]
fn a_missing_list_locks_everybody_out() {
    let scene = Scene::new();
    let path = scene.folder.path().join("revoked.krl");
    assert!(scene.admitted(&scene.request(1)));
    let content = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(!scene.admitted(&scene.request(1)));
    fs::write(&path, &content[..content.len() - 1]).unwrap();
    assert!(!scene.admitted(&scene.request(1)), "and so does a torn one");
    fs::write(&path, content).unwrap();
    assert!(scene.admitted(&scene.request(1)));
}

#[test]
fn a_certificate_ends_by_the_clock() {
    let scene = Scene::new();
    let request = CertificateRequest { valid_before: now() + 4, ..scene.request(1) };
    // a machine under load may take longer than the certificate lives
    assert!(scene.admitted(&request) || now() >= request.valid_before);
    while now() < request.valid_before {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!scene.admitted(&request), "valid_before is exclusive");
    let early = CertificateRequest { valid_after: now() + 600, ..scene.request(2) };
    assert!(!scene.admitted(&early));
    assert!(scene.sshd.log().unwrap().contains("Certificate invalid: expired"));
}

#[test]
fn a_forced_command_is_all_that_runs() {
    let scene = Scene::new();
    let request = CertificateRequest {
        force_command: Some("echo forced: $SSH_ORIGINAL_COMMAND".into()),
        ..scene.request(1)
    };
    let output = scene.run(&request, "id");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "forced: id\n");
}

#[test]
fn only_the_named_networks_come_in() {
    let scene = Scene::new();
    for (serial, networks, admitted) in [
        (1, &["127.0.0.0/8"][..], true),
        (2, &["192.0.2.0/24"], false),
        (3, &["192.0.2.0/24", "2001:db8::/32", "127.0.0.1"], true),
        (4, &["::1"], false),
    ] {
        let source_addresses = networks.iter().map(|network| network.parse().unwrap()).collect();
        let request = CertificateRequest { source_addresses, ..scene.request(serial) };
        assert_eq!(scene.admitted(&request), admitted, "{networks:?}");
    }
}

#[test]
fn strangers_stay_out() {
    let scene = Scene::new();
    let request = scene.request(1);
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = authority(elsewhere.path());
    let certificate = write_certificate(&stranger, &request, elsewhere.path(), "theirs");
    let output = ssh_run(&scene.sshd, &scene.key, &certificate, "id").unwrap();
    assert_eq!(output.status.code(), Some(255), "another authority: {output:?}");
    let other_name = CertificateRequest { principals: vec!["somebody-else".into()], ..scene.request(2) };
    assert!(!scene.admitted(&other_name), "another principal");
    let login = scene.sshd.login_user();
    for (serial, principal) in [(21, login.to_owned()), (22, format!("{login}@another.host"))] {
        let elsewhere = CertificateRequest { principals: vec![principal.clone()], ..scene.request(serial) };
        assert!(!scene.admitted(&elsewhere), "`{principal}` opens this host");
    }
    let thief = key_pair(elsewhere.path(), "thief", "ed25519", "256");
    let output = ssh_run(&scene.sshd, &thief, &scene.certificate(&request), "id").unwrap();
    assert_eq!(output.status.code(), Some(255), "another key: {output:?}");
    assert!(scene.admitted(&request), "and the right one goes in");
}

#[test]
fn ports_are_forwarded_only_when_permitted() {
    let scene = Scene::new();
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = target.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in target.incoming() {
            let _ = connection.and_then(|mut peer| peer.write_all(b"behind the host\n"));
        }
    });
    for (serial, permit_port_forwarding) in [(1, false), (2, true)] {
        let request = CertificateRequest { permit_port_forwarding, ..scene.request(serial) };
        let output = ssh_command(&scene.sshd, &scene.key, &scene.certificate(&request))
            .args(["-W", &address, &destination(&scene.sshd)])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let refused = String::from_utf8_lossy(&output.stderr).contains("administratively prohibited");
        let expected = if permit_port_forwarding { "behind the host\n" } else { "" };
        assert_eq!((text.as_str(), refused), (expected, !permit_port_forwarding), "{output:?}");
    }
}

#[test]
fn a_terminal_is_given_only_when_permitted() {
    let scene = Scene::new();
    for (serial, permit_pty) in [(1, false), (2, true)] {
        let request = CertificateRequest { permit_pty, ..scene.request(serial) };
        let output = ssh_command(&scene.sshd, &scene.key, &scene.certificate(&request))
            .args(["-tt", &destination(&scene.sshd), "tty"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text.starts_with("/dev/pts/"), permit_pty, "{output:?}");
    }
}

#[test]
fn a_session_outlives_its_revocation_until_it_is_ended() {
    let mut scene = Scene::new();
    let request = scene.request(1);
    let mut session = ssh_command(&scene.sshd, &scene.key, &scene.certificate(&request))
        .args([&destination(&scene.sshd), "echo ready; exec sleep 600"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let output = session.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
    assert_eq!(line, "ready\n");
    scene.revoke(|list| list.revoke(1).unwrap());
    assert!(!scene.admitted(&request));
    assert!(session.try_wait().unwrap().is_none(), "the session goes on");
    assert!(scene.sshd.end_sessions().unwrap() > 0);
    assert_eq!(session.wait().unwrap().code(), Some(255));
    assert!(scene.admitted(&scene.request(2)), "and the server too");
}

#[test]
fn the_server_ends_with_its_owner() {
    let scene = Scene::new();
    let (process, port) = (scene.sshd.process_id(), scene.sshd.port());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(scene);
    assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
}
