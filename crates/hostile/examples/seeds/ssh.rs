//! Keys of every kind, certificates, signatures, revocation lists.

use chancery_canonical::base64::encode_standard;
use chancery_evidence::sshsig::sign_ed25519;
use chancery_issuer::ssh::wire::Writer;
use chancery_issuer::ssh::{Authority, AuthorityKey, CertificateRequest, Krl, SubjectKey};
use chancery_testkit::people::{ed25519, ssh_line};
use ring::rand::SystemRandom;

use super::Seeds;

pub fn seeds(seeds: &mut Seeds) {
    let lines = key_lines();
    for (name, line) in &lines {
        seeds.add("ssh_key", name, format!("{line} a comment\n"));
    }
    let folder = std::env::temp_dir().join(format!("chancery-seeds-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let authority = Authority::create(&folder.join("authority.pkcs8"), &SystemRandom::new()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    for (name, line) in &lines {
        seeds.add("ssh_certificate", name, certificate(line, &authority));
    }
    for namespace in ["file", "chancery-request@v1"] {
        let signature = sign_ed25519(&ed25519("a stranger"), namespace, b"a message").unwrap();
        seeds.add("ssh_signature", &format!("{namespace}-armored"), signature.to_armored());
        seeds.add("ssh_signature", namespace, signature.to_blob());
    }
    revocations(seeds);
}

fn key_lines() -> Vec<(&'static str, String)> {
    let ed25519 = ssh_line(&ed25519("a stranger"));
    let mut fields = Writer::new();
    fields.string(b"ssh-rsa").mpint(&[1, 0, 1]).mpint(&[0xa5; 256]);
    let rsa = fields.finish().unwrap();
    let mut fields = Writer::new();
    fields.string(b"ecdsa-sha2-nistp256").string(b"nistp256").string(&[4; 65]);
    let p256 = fields.finish().unwrap();
    let mut fields = Writer::new();
    let key = ring::signature::KeyPair::public_key(&chancery_testkit::people::ed25519("a stranger"))
        .as_ref()
        .to_vec();
    fields.string(b"sk-ssh-ed25519@openssh.com").string(&key).string(b"ssh:");
    let security_key = fields.finish().unwrap();
    vec![
        ("ed25519", ed25519),
        ("rsa", format!("ssh-rsa {}", encode_standard(&rsa))),
        ("p256", format!("ecdsa-sha2-nistp256 {}", encode_standard(&p256))),
        ("security-key", format!("sk-ssh-ed25519@openssh.com {}", encode_standard(&security_key))),
    ]
}

fn certificate(line: &str, authority: &Authority) -> String {
    let key = SubjectKey::parse(line).unwrap();
    let validity = 1_893_553_445..1_893_557_045;
    let mut request = CertificateRequest::new(key, 7, "a key id", &["deploy", "web"], validity, [7; 32]);
    request.source_addresses = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    request.force_command = Some("uptime".to_owned());
    request.permit_port_forwarding = true;
    request.prepare(authority.key()).unwrap().sign(authority).unwrap()
}

fn revocations(seeds: &mut Seeds) {
    let (ours, retired) = (AuthorityKey::new([7; 32]), AuthorityKey::new([8; 32]));
    let mut list = Krl::empty(ours, 1_893_553_445, "a comment").unwrap();
    seeds.add("ssh_revocations", "empty", list.encode().unwrap());
    list = list.next(1_893_553_446).unwrap();
    for serials in [1..=1, 3..=9, 1000..=1_000_000, u64::MAX - 1..=u64::MAX] {
        list.revoke_range(serials).unwrap();
    }
    (20_000..20_400).step_by(3).for_each(|serial| list.revoke(serial).unwrap());
    list.revoke_key_id("a key id").unwrap();
    seeds.add("ssh_revocations", "full", list.encode().unwrap());
    seeds.add(
        "ssh_revocations",
        "two-authorities",
        list.of(vec![ours, retired], vec![retired]).encode().unwrap(),
    );
}
