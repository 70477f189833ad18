//! One SSH authority takes over from another, on a real host.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chancery_canonical::base64::encode_standard;
use chancery_evidence::ssh_key::SshPublicKey;
use chancery_issuer::ssh::{AuthorityKey, Certificate, Krl};
use chancery_server::{Clock, retire_ca, rotate_ca};
use chancery_testkit::sshd::{HOST, Sshd, ssh_run};
use ring::signature::KeyPair as _;
use serde_json::json;

use crate::scene::{Scene, failed};
use crate::world::{Person, World, signed_request, ssh_draft, trust};

/// The key file of a person, as `ssh -i` reads it (PROTOCOL.key).
fn key_file(person: &Person, folder: &Path) -> PathBuf {
    let public = person.ssh_key().public_key().as_ref().to_vec();
    let blob = SshPublicKey::ed25519(public.as_slice().try_into().unwrap()).unwrap().blob().to_vec();
    let put = |target: &mut Vec<u8>, bytes: &[u8]| {
        target.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        target.extend_from_slice(bytes);
    };
    let mut section = vec![7; 8];
    for part in [b"ssh-ed25519".to_vec(), public.clone(), [person.ssh_seed.to_vec(), public].concat(), vec![]]
    {
        put(&mut section, &part);
    }
    let filling = section.len().next_multiple_of(8) - section.len();
    section.extend((1u8..).take(filling));
    let mut file = b"openssh-key-v1\0".to_vec();
    for part in [b"none".as_slice(), b"none", b""] {
        put(&mut file, part);
    }
    file.extend_from_slice(&1u32.to_be_bytes());
    put(&mut file, &blob);
    put(&mut file, &section);
    let path = folder.join("person");
    let armored = encode_standard(&file);
    let text = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{armored}\n-----END OPENSSH PRIVATE KEY-----\n");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A certificate, and the request it was made for.
struct Login {
    request: String,
    line: String,
}

impl Login {
    fn authority(&self) -> AuthorityKey {
        *Certificate::parse(&self.line).unwrap().authority()
    }
}

/// A certificate for the login user of a real host.
fn certified(scene: &mut Scene, sshd: &Sshd) -> Login {
    let mut draft = ssh_draft(&scene.erin, "staging");
    draft["parameters"]["host"] = json!(HOST);
    draft["parameters"]["principal"] = json!(sshd.login_user());
    let draft = scene.world.call(&scene.erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let body = signed_request(&mut scene.erin, &draft);
    let view = scene.world.call(&scene.erin, "POST", "/api/v1/requests", Some(&body)).good();
    let request = view["id"].as_str().unwrap().to_owned();
    scene.world.decide(&mut scene.olga, &request, "approve", None).good();
    let line = scene.credential(&request).good()["certificate"].as_str().unwrap().to_owned();
    Login { request, line }
}

/// From one SSH authority to the next on a real host: both log in while both stand, the list takes back from either,
/// and the old one is refused after its end, on a host that never forgot its key.
#[test]
fn one_authority_takes_over_from_another() {
    let mut scene = Scene::of(World::by_clock(Clock::system().unwrap(), |_| {}));
    let ground = tempfile::tempdir().unwrap();
    fs::set_permissions(ground.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let list = ground.path().join("revoked.krl");
    fs::copy(scene.world.data().join("krl/ssh.krl"), &list).unwrap();
    let made = scene.world.runtime.block_on(rotate_ca(&scene.world.data(), scene.options(&[]))).unwrap();
    let [old, new] = made.lines.as_slice() else { panic!("{:?}", made.lines) };
    let sshd = Sshd::start(&made.lines.join("\n"), &list, &ground.path().join("sshd")).unwrap();
    let key = key_file(&scene.erin, ground.path());
    let admitted = |scene: &Scene, login: &Login| {
        fs::copy(scene.world.data().join("krl/ssh.krl"), &list).unwrap();
        let path = ground.path().join("certificate.pub");
        fs::write(&path, &login.line).unwrap();
        let output = ssh_run(&sshd, &key, &path, "echo inside").unwrap();
        assert!(matches!(output.status.code(), Some(0 | 255)), "{output:?}\n{}", sshd.log().unwrap());
        output.status.success()
    };
    let authority = |line: &str| AuthorityKey::parse(line).unwrap();
    // A key that nothing names yet signs nothing.
    let before = certified(&mut scene, &sshd);
    assert_eq!(before.authority(), authority(old));
    // Run again, it proposes the same key.
    let again = scene.world.runtime.block_on(rotate_ca(&scene.world.data(), scene.options(&[]))).unwrap();
    assert_eq!(again.lines, made.lines);
    scene.seal();
    let after = certified(&mut scene, &sshd);
    assert_eq!(after.authority(), authority(new));
    assert!(admitted(&scene, &before) && admitted(&scene, &after));

    // The list takes back from either.
    let taken_back = certified(&mut scene, &sshd);
    assert!(admitted(&scene, &taken_back));
    for request in [&before.request, &taken_back.request] {
        scene.world.decide(&mut scene.olga, request, "revoke", Some("over")).good();
        scene.world.await_state(&scene.erin, request, "revoked");
    }
    for _ in 0..100 {
        let leases = [&before.request, &taken_back.request]
            .map(|request| scene.world.view(&scene.erin, request)["leases"][0]["status"].clone());
        if leases.iter().all(|status| *status == json!("revoked")) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(!admitted(&scene, &before) && !admitted(&scene, &taken_back) && admitted(&scene, &after));

    // One more of the old one, made before it went: it would be good for minutes.
    let data = scene.world.data();
    let refused = scene.world.runtime.block_on(retire_ca(&data, false, scene.options(&[]))).unwrap_err();
    assert!(refused.to_string().contains("valid until"), "{refused}");
    scene.world.runtime.block_on(retire_ca(&data, true, scene.options(&[]))).unwrap();
    scene.seal();
    assert!(!admitted(&scene, &before) && admitted(&scene, &after));
    let published = Krl::load(&data.join("krl/ssh.krl"), &[authority(old), authority(new)]).unwrap().unwrap();
    assert_eq!(
        (published.retired(), published.authorities()),
        ([authority(old)].as_slice(), [authority(new)].as_slice())
    );
    scene.world.restart();
    let later = certified(&mut scene, &sshd);
    assert!(admitted(&scene, &later));
    let directory = trust(&scene.folder());
    for Login { request, .. } in [&before, &after, &taken_back] {
        assert_eq!(failed(&scene.evidence(request), &directory), Vec::<&str>::new());
    }
}
