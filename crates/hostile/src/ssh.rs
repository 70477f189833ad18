//! Keys, certificates, signatures and revocation lists of OpenSSH.

use chancery_evidence::ssh_key::SshPublicKey;
use chancery_evidence::sshsig::SshSignature;
use chancery_issuer::ssh::{AuthorityKey, Certificate, CertificateError, Krl, SubjectKey};

/// A key line, as the verifier of evidence and as the issuer reads it.
pub fn key(bytes: &[u8]) -> bool {
    crate::text(bytes, |line| {
        let (verifier, issuer) = (SshPublicKey::parse(line), SubjectKey::parse(line));
        if let Ok(key) = &verifier {
            assert_eq!(SshPublicKey::parse(&key.to_string()).as_ref(), Ok(key), "a key is its line");
            assert_eq!(SshPublicKey::from_blob(key.blob()).as_ref(), Ok(key), "a key is its blob");
        }
        if let Ok(key) = &issuer {
            assert_eq!(SubjectKey::parse(&key.line()).as_ref(), Ok(key), "a key is its line");
        }
        if let (Ok(one), Ok(other)) = (&verifier, &issuer) {
            assert_eq!(one.to_string(), other.line(), "both read the same key");
            assert_eq!(one.fingerprint(), other.fingerprint());
        }
        if let Ok(authority) = AuthorityKey::parse(line) {
            let again = authority.line("a comment\nthat ends its line");
            assert!(!again.contains('\n'), "a comment stays on its line");
            assert_eq!(AuthorityKey::parse(&again), Ok(authority));
        }
        verifier.is_ok() || issuer.is_ok()
    })
}

pub fn certificate(bytes: &[u8]) -> bool {
    crate::text(bytes, |line| {
        let Ok(certificate) = Certificate::parse(line) else { return false };
        let prepared = certificate.contents().prepare(certificate.authority()).unwrap();
        assert_eq!(prepared.to_be_signed(), certificate.to_be_signed(), "a certificate has one spelling");
        assert_eq!(prepared.sha256(), certificate.sha256());
        let another = AuthorityKey::new([1; 32]);
        let refused = certificate.verify(&another);
        assert!(
            certificate.authority() == &another
                || matches!(refused, Err(CertificateError::UnexpectedAuthority(_))),
            "another authority's certificate is refused"
        );
        certificate.verify(certificate.authority()).is_ok()
    })
}

/// An armored signature, or a blob.
pub fn signature(bytes: &[u8]) -> bool {
    let armored = std::str::from_utf8(bytes).ok().and_then(|text| SshSignature::parse(text).ok());
    let Some(signature) = armored.or_else(|| SshSignature::from_blob(bytes).ok()) else { return false };
    let blob = signature.to_blob();
    assert!(!bytes.starts_with(b"SSHSIG") || blob == bytes, "a signature has one spelling");
    assert_eq!(SshSignature::from_blob(&blob).as_ref(), Ok(&signature));
    assert_eq!(SshSignature::parse(&signature.to_armored()).as_ref(), Ok(&signature));
    let key = signature.public_key().clone();
    assert!(signature.verify(&key, "another@namespace", b"").is_err(), "a signature has one namespace");
    true
}

/// A revocation list of the two authorities that the corpus is about. Serials may be written in any way; ours is one
/// that reads the same, and does not change any more.
pub fn revocations(bytes: &[u8]) -> bool {
    let authorities = [AuthorityKey::new([7; 32]), AuthorityKey::new([8; 32])];
    let Ok(list) = Krl::decode(bytes, &authorities) else { return false };
    let written = list.encode().unwrap();
    let again = Krl::decode(&written, &authorities).unwrap();
    assert_eq!(again.encode().unwrap(), written, "a list that was written is written the same");
    assert!(again.serials().eq(list.serials()), "serials are kept");
    assert!(again.key_ids().eq(list.key_ids()), "key ids are kept");
    assert_eq!(again.retired(), list.retired(), "retired authorities are kept");
    assert_eq!((again.number(), again.generated_at()), (list.number(), list.generated_at()));
    for serials in list.serials() {
        let outside = [serials.start().checked_sub(1), serials.end().checked_add(1)];
        assert!(list.revokes(*serials.start(), "") && list.revokes(*serials.end(), ""));
        assert!(outside.into_iter().flatten().all(|serial| !list.revokes(serial, "")), "runs are whole");
    }
    true
}
