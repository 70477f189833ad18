//! COSE keys against the Wycheproof vectors, and every way to write a key wrongly.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chancery_evidence::cose::{CoseAlgorithm, CoseError, CosePublicKey};
use chancery_evidence::public_key::{P256PublicKey, PublicKeyError, ed25519_from_spki, from_pem, to_pem};
use minicbor::Encoder;
use wycheproof::TestResult;

fn es256_bytes(x: &[u8], y: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(5).unwrap().u8(1).unwrap().u8(2).unwrap().u8(3).unwrap().i8(-7).unwrap();
    encoder
        .i8(-1)
        .unwrap()
        .u8(1)
        .unwrap()
        .i8(-2)
        .unwrap()
        .bytes(x)
        .unwrap()
        .i8(-3)
        .unwrap()
        .bytes(y)
        .unwrap();
    encoder.into_writer()
}

fn eddsa_bytes(key: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(4).unwrap().u8(1).unwrap().u8(1).unwrap().u8(3).unwrap().i8(-8).unwrap();
    encoder.i8(-1).unwrap().u8(6).unwrap().i8(-2).unwrap().bytes(key).unwrap();
    encoder.into_writer()
}

fn rs256_bytes(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(4).unwrap().u8(1).unwrap().u8(3).unwrap().u8(3).unwrap().i16(-257).unwrap();
    encoder.i8(-1).unwrap().bytes(modulus).unwrap().i8(-2).unwrap().bytes(exponent).unwrap();
    encoder.into_writer()
}

/// Compares one verdict with the vector's. `Acceptable` vectors may go either way.
#[track_caller]
fn check(outcome: Result<(), CoseError>, expected: TestResult, id: usize, comment: &str) {
    match expected {
        TestResult::Valid => assert_eq!(outcome, Ok(()), "vector {id}: {comment}"),
        TestResult::Invalid => assert!(outcome.is_err(), "vector {id} was accepted: {comment}"),
        TestResult::Acceptable => {}
    }
}

#[test]
fn wycheproof_ecdsa() {
    let set = wycheproof::ecdsa::TestSet::load(wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let point = P256PublicKey::from_point(&group.key.key).unwrap();
        let (x, y) = point.coordinates();
        let key = CosePublicKey::parse(&es256_bytes(x, y)).unwrap();
        assert_eq!(key.spki().unwrap(), group.der.as_ref());
        assert_eq!(P256PublicKey::from_spki(&group.der).unwrap(), point);
        for test in group.tests {
            check(key.verify(&test.msg, &test.sig), test.result, test.tc_id, &test.comment);
            count += 1;
        }
    }
    assert!(count > 400, "only {count} vectors ran");
}

#[test]
fn wycheproof_ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let key = CosePublicKey::parse(&eddsa_bytes(&group.key.pk)).unwrap();
        assert_eq!(key.spki().unwrap(), group.der.as_ref());
        assert_eq!(ed25519_from_spki(&group.der).unwrap().as_slice(), group.key.pk.as_ref());
        for test in group.tests {
            check(key.verify(&test.msg, &test.sig), test.result, test.tc_id, &test.comment);
            count += 1;
        }
    }
    assert!(count > 100, "only {count} vectors ran");
}

#[test]
fn wycheproof_rsa() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut count = 0;
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let magnitude = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
            let (modulus, exponent) = (magnitude(&group.key.n), magnitude(&group.key.e));
            let key = CosePublicKey::parse(&rs256_bytes(&modulus, &exponent));
            if exponent != [1, 0, 1] {
                assert_eq!(key, Err(CoseError::Weak));
                continue;
            }
            let key = key.unwrap();
            assert_eq!((key.algorithm(), key.spki()), (CoseAlgorithm::Rs256, None));
            for test in group.tests {
                check(key.verify(&test.msg, &test.sig), test.result, test.tc_id, &test.comment);
                count += 1;
            }
        }
    }
    assert!(count > 500, "only {count} vectors ran");
}

#[test]
fn a_key_travels_as_base64url() {
    let key = CosePublicKey::parse(&es256_bytes(&[1; 32], &[2; 32])).unwrap();
    let sent = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<CosePublicKey>(&sent).unwrap(), key);
    assert!(serde_json::from_str::<CosePublicKey>("\"AAAA\"").is_err());
    // A point that is not on the curve verifies nothing.
    assert_eq!(key.verify(b"message", b"signature"), Err(CoseError::BadSignature));
}

#[track_caller]
fn refused(bytes: &[u8], expected: CoseError) {
    assert_eq!(CosePublicKey::parse(bytes), Err(expected), "{bytes:02x?}");
}

#[test]
fn keys_written_wrongly() {
    let good = es256_bytes(&[1; 32], &[2; 32]);
    assert!(CosePublicKey::parse(&good).is_ok());
    let (x, y) = ([0x58, 0x20].iter().chain(&[1; 32]).copied(), [0x58, 0x20].iter().chain(&[2; 32]).copied());
    let (x, y): (Vec<u8>, Vec<u8>) = (x.collect(), y.collect());
    let write = |parts: &[&[u8]]| parts.concat();

    refused(b"", CoseError::Malformed);
    refused(&good[..good.len() - 1], CoseError::Malformed);
    refused(&write(&[&good, &[0]]), CoseError::Malformed);
    // an array, an indefinite map, a huge map
    refused(&write(&[&[0x85], &good[1..]]), CoseError::Malformed);
    refused(&write(&[&[0xbf], &good[1..], &[0xff]]), CoseError::Malformed);
    refused(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], CoseError::Malformed);
    // a missing y, an additional parameter (kid), a repeated one instead of another
    refused(&write(&[&[0xa4, 1, 2, 3, 0x26, 0x20, 1, 0x21], &x]), CoseError::NotCanonical);
    refused(&write(&[&[0xa5, 1, 2, 2, 0x41, 0, 3, 0x26, 0x20, 1, 0x21], &x]), CoseError::NotCanonical);
    refused(&write(&[&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21], &x, &[0x21], &x]), CoseError::NotCanonical);
    // unsorted, longer integers, longer lengths, longer coordinates
    refused(&write(&[&[0xa5, 3, 0x26, 1, 2, 0x20, 1, 0x21], &x, &[0x22], &y]), CoseError::NotCanonical);
    refused(&write(&[&[0xa5, 1, 0x18, 2, 3, 0x26, 0x20, 1, 0x21], &x, &[0x22], &y]), CoseError::NotCanonical);
    refused(
        &write(&[&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x59, 0], &x[1..], &[0x22], &y]),
        CoseError::NotCanonical,
    );
    refused(&es256_bytes(&[1; 33], &[2; 32]), CoseError::NotCanonical);
    refused(&es256_bytes(&[1; 31], &[2; 32]), CoseError::NotCanonical);
    // other algorithms and curves: ES384, P-384, Ed448, RS512, PS256
    refused(
        &write(&[&[0xa5, 1, 2, 3, 0x38, 0x22, 0x20, 1, 0x21], &x, &[0x22], &y]),
        CoseError::UnsupportedAlgorithm,
    );
    refused(
        &write(&[&[0xa5, 1, 2, 3, 0x26, 0x20, 2, 0x21], &x, &[0x22], &y]),
        CoseError::UnsupportedAlgorithm,
    );
    refused(&write(&[&[0xa4, 1, 1, 3, 0x27, 0x20, 7, 0x21], &x]), CoseError::UnsupportedAlgorithm);
    refused(&[0xa2, 1, 3, 3, 0x39, 1, 2], CoseError::UnsupportedAlgorithm);
    refused(&[0xa2, 1, 3, 3, 0x38, 0x24], CoseError::UnsupportedAlgorithm);
    refused(&[0xa0], CoseError::UnsupportedAlgorithm);
}

#[test]
fn weak_keys() {
    let y = |first: u8, middle: u8, last: u8| {
        let mut key = [middle; 32];
        (key[0], key[31]) = (first, last);
        key
    };
    let eighth = |text: &str, last: u8| {
        let mut key: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2).unwrap(), 16).unwrap())
            .collect();
        key[31] = last;
        <[u8; 32]>::try_from(key).unwrap()
    };
    let (one, other) = (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    );
    let small_order = [
        y(0, 0, 0),
        y(0, 0, 0x80),
        y(1, 0, 0),
        y(0xec, 0xff, 0x7f),
        eighth(one, 0x05),
        eighth(one, 0x85),
        eighth(other, 0x7a),
        eighth(other, 0xfa),
    ];
    let not_canonical = [
        y(1, 0, 0x80),
        y(0xec, 0xff, 0xff),
        y(0xed, 0xff, 0x7f),
        y(0xed, 0xff, 0xff),
        y(0xee, 0xff, 0x7f),
        y(0xff, 0xff, 0xff),
    ];
    for key in small_order.iter().chain(&not_canonical) {
        refused(&eddsa_bytes(key), CoseError::Weak);
    }
    assert!(CosePublicKey::parse(&eddsa_bytes(&y(0xeb, 0xff, 0x7f))).is_ok());

    let modulus = |length: usize| vec![0xff; length];
    let mut short = modulus(256);
    short[0] = 0x7f;
    for (modulus, exponent) in [
        (modulus(255), vec![1, 0, 1]),
        (short, vec![1, 0, 1]),
        (modulus(513), vec![1, 0, 1]),
        ([vec![0], modulus(256)].concat(), vec![1, 0, 1]),
        (modulus(256), vec![3]),
        (modulus(256), vec![0, 1, 0, 1]),
    ] {
        refused(&rs256_bytes(&modulus, &exponent), CoseError::Weak);
    }
    assert!(CosePublicKey::parse(&rs256_bytes(&modulus(256), &[1, 0, 1])).is_ok());
    assert!(CosePublicKey::parse(&rs256_bytes(&modulus(512), &[1, 0, 1])).is_ok());
}

#[test]
fn pem_has_one_spelling() {
    let key = P256PublicKey::from_point(&[&[4], [7; 64].as_slice()].concat()).unwrap();
    let pem = key.to_pem();
    assert!(pem.lines().all(|line| line.len() <= 64));
    assert_eq!(P256PublicKey::from_pem(&pem).unwrap(), key);
    assert_eq!(from_pem(&to_pem(b"")).unwrap(), b"");
    let one_line =
        pem.replace('\n', "").replace("KEY-----M", "KEY-----\nM").replace("==-----END", "==\n-----END");
    for wrong in [
        &one_line,
        pem.trim_end(),
        &pem.replace('\n', "\r\n"),
        &format!("\n{pem}"),
        &format!("{pem}{pem}"),
        "",
    ] {
        assert_eq!(P256PublicKey::from_pem(wrong), Err(PublicKeyError::NotPem), "{wrong}");
    }
    for wrong in [[3; 65].as_slice(), &[4; 64], &[4; 66], &[2; 33]] {
        assert_eq!(P256PublicKey::from_point(wrong), Err(PublicKeyError::NotP256));
    }
}
