//! Assertions and registrations: the standard's own vectors, and every way to be wrong by name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chancery_canonical::{Bytes, Sha256};
use chancery_evidence::registration::{RegistrationResponse, verify_registration};
use chancery_evidence::webauthn::{
    Assertion, CounterMove, EnrolledKey, RelyingParty, RelyingPartyError, counter_moved, verify_assertion,
};
use chancery_testkit::passkey::{Deviation, SoftPasskey};
use serde_json::{Value, json};

const RP_ID: &str = "chancery.example.org";
const ORIGIN: &str = "https://chancery.example.org";

fn site() -> RelyingParty {
    RelyingParty::new(RP_ID, [ORIGIN, "https://console.chancery.example.org:8443"]).unwrap()
}

fn challenge() -> Sha256 {
    Sha256::of(b"chancery decision v1\n{}")
}

#[test]
fn an_honest_passkey_passes() {
    for (mut passkey, synced) in [(SoftPasskey::new(RP_ID), false), (SoftPasskey::new_synced(RP_ID), true)] {
        let response = passkey.register(&challenge(), ORIGIN);
        let registered = verify_registration(&response, &site(), &challenge()).unwrap();
        let key = registered.enrolled_key();
        assert_eq!(key, passkey.enrolled_key());
        assert_eq!((registered.aaguid(), registered.attestation_format()), ([0; 16], "none"));

        let assertion = passkey.assert(&challenge(), ORIGIN);
        let sent = serde_json::to_string(&assertion).unwrap();
        let assertion: Assertion = serde_json::from_str(&sent).unwrap();
        let verified = verify_assertion(&assertion, &key, &site(), &challenge()).unwrap();
        assert_eq!((verified.backup_eligible(), verified.backup_state()), (synced, synced));
        assert_eq!((verified.origin(), verified.challenge()), (ORIGIN, &challenge()));
        let expected = if synced { CounterMove::NotCounting } else { CounterMove::Grew };
        assert_eq!(counter_moved(registered.sign_count(), verified.sign_count()), expected);
    }
}

#[test]
fn a_passkey_kept_in_a_file_still_signs() {
    let passkey = SoftPasskey::new(RP_ID);
    let mut read_back: SoftPasskey = serde_json::from_str(&serde_json::to_string(&passkey).unwrap()).unwrap();
    let assertion = read_back.assert(&challenge(), ORIGIN);
    assert!(verify_assertion(&assertion, &passkey.enrolled_key(), &site(), &challenge()).is_ok());
}

#[test]
fn what_an_authenticator_may_add() {
    let harmless = [
        Deviation {
            more_client_data: object(json!({"other_keys_can_be_added_here": "do not compare"})),
            ..fine()
        },
        Deviation { cross_origin: Some(json!(false)), ..fine() },
        // {"credProtect": 2}, and flags that are reserved
        Deviation { extensions: Some([&[0xa1, 0x6b], b"credProtect".as_slice(), &[2]].concat()), ..fine() },
        Deviation { extensions: Some(vec![0xa0]), ..fine() },
        Deviation { more_flags: 0x22, ..fine() },
    ];
    let mut passkey = SoftPasskey::new(RP_ID);
    for deviation in harmless {
        let assertion = passkey.assert_with(&challenge(), ORIGIN, &deviation);
        let outcome = verify_assertion(&assertion, &passkey.enrolled_key(), &site(), &challenge());
        assert!(outcome.is_ok(), "{outcome:?}: {deviation:?}");
        let response = passkey.register_with(&challenge(), ORIGIN, &deviation);
        assert!(verify_registration(&response, &site(), &challenge()).is_ok(), "{deviation:?}");
    }
}

fn fine() -> Deviation {
    Deviation::default()
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Deviations that both ceremonies refuse, with the code of the refusal.
fn wrong_in_both() -> Vec<(&'static str, Deviation)> {
    let client_data = |text: &str| Deviation { client_data_json: Some(text.as_bytes().to_vec()), ..fine() };
    let extensions = |bytes: &[u8]| Deviation { extensions: Some(bytes.to_vec()), ..fine() };
    vec![
        ("wrong_type", Deviation { ceremony: Some("payment.get".into()), ..fine() }),
        ("cross_origin", Deviation { cross_origin: Some(json!(true)), ..fine() }),
        ("client_data_malformed", Deviation { cross_origin: Some(json!("false")), ..fine() }),
        ("client_data_malformed", Deviation { cross_origin: Some(Value::Null), ..fine() }),
        ("top_origin_present", Deviation { top_origin: Some(ORIGIN.into()), ..fine() }),
        (
            "client_data_malformed",
            Deviation { more_client_data: object(json!({"type": "webauthn.get"})), ..fine() },
        ),
        (
            "client_data_malformed",
            Deviation { more_client_data: object(json!({"origin": ORIGIN})), ..fine() },
        ),
        ("client_data_malformed", client_data("")),
        ("client_data_malformed", client_data("[]")),
        ("client_data_malformed", client_data("{}")),
        ("client_data_malformed", client_data("{\"type\":1}")),
        ("client_data_malformed", client_data("\u{feff}{}")),
        ("wrong_relying_party", Deviation { rp_id: Some("example.org".into()), ..fine() }),
        ("user_not_present", Deviation { without_presence: true, ..fine() }),
        ("user_not_verified", Deviation { without_verification: true, ..fine() }),
        ("backup_state_inconsistent", Deviation { more_flags: 0x10, ..fine() }),
        ("authenticator_data_malformed", Deviation { trailing: vec![0], ..fine() }),
        ("authenticator_data_malformed", Deviation { fewer_flags: 0x80, ..extensions(&[0xa0]) }),
        ("extensions_malformed", extensions(&[])),
        ("extensions_malformed", extensions(&[0xa0, 0])),
        ("extensions_malformed", extensions(&[0x80])),
        ("extensions_malformed", extensions(&[0xbf, 0xff])),
        ("extensions_malformed", extensions(&[0xa1, 1, 1])),
        ("extensions_malformed", extensions(&[0xa1, 0x61, b'a'])),
        ("extensions_malformed", extensions(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    ]
}

#[test]
fn wrong_assertions_are_refused_by_name() {
    let only_here = [
        ("attested_credential_present", Deviation { attested_credential: true, ..fine() }),
        ("authenticator_data_malformed", Deviation { more_flags: 0x40, ..fine() }),
        ("wrong_type", Deviation { ceremony: Some("webauthn.create".into()), ..fine() }),
        ("backup_eligibility_changed", Deviation { more_flags: 0x18, ..fine() }),
    ];
    let mut passkey = SoftPasskey::new(RP_ID);
    for (code, deviation) in wrong_in_both().into_iter().chain(only_here) {
        let assertion = passkey.assert_with(&challenge(), ORIGIN, &deviation);
        let outcome = verify_assertion(&assertion, &passkey.enrolled_key(), &site(), &challenge());
        assert_eq!(outcome.unwrap_err().code(), code, "{deviation:?}");
    }
}

#[test]
fn wrong_registrations_are_refused_by_name() {
    let only_here = [
        ("wrong_type", Deviation { ceremony: Some("webauthn.get".into()), ..fine() }),
        ("authenticator_data_malformed", Deviation { fewer_flags: 0x40, ..fine() }),
    ];
    let mut passkey = SoftPasskey::new(RP_ID);
    for (code, deviation) in wrong_in_both().into_iter().chain(only_here) {
        let response = passkey.register_with(&challenge(), ORIGIN, &deviation);
        let outcome = verify_registration(&response, &site(), &challenge());
        assert_eq!(outcome.unwrap_err().code(), code, "{deviation:?}");
    }
}

#[test]
fn origins_are_compared_exactly() {
    let mut passkey = SoftPasskey::new(RP_ID);
    for origin in [
        "https://chancery.example.org/",
        "https://chancery.example.org:443",
        "http://chancery.example.org",
        "https://CHANCERY.example.org",
        "https://evil.chancery.example.org",
        "https://chancery.example.org.evil.org",
        "https://console.chancery.example.org",
        "null",
        "",
    ] {
        let assertion = passkey.assert(&challenge(), origin);
        let outcome = verify_assertion(&assertion, &passkey.enrolled_key(), &site(), &challenge());
        assert_eq!(outcome.unwrap_err().code(), "wrong_origin", "{origin}");
    }
}

#[test]
fn swapped_and_changed_assertions() {
    let (mut passkey, mut other) = (SoftPasskey::new(RP_ID), SoftPasskey::new(RP_ID));
    let key = passkey.enrolled_key();
    let good = passkey.assert(&challenge(), ORIGIN);
    let verify = |assertion: &Assertion, key: &EnrolledKey, challenge: &Sha256| {
        verify_assertion(assertion, key, &site(), challenge).map(|_| ()).map_err(|refusal| refusal.code())
    };
    assert_eq!(verify(&good, &key, &challenge()), Ok(()));
    assert_eq!(verify(&good, &key, &Sha256::of(b"another document")), Err("wrong_challenge"));
    assert_eq!(verify(&good, &other.enrolled_key(), &challenge()), Err("wrong_credential"));
    let synced = EnrolledKey { backup_eligible: true, ..key.clone() };
    assert_eq!(verify(&good, &synced, &challenge()), Err("backup_eligibility_changed"));
    // The credential id is not signed: a renamed assertion of somebody else still fails on the key.
    let renamed =
        Assertion { credential_id: key.credential_id.clone(), ..other.assert(&challenge(), ORIGIN) };
    assert_eq!(verify(&renamed, &key, &challenge()), Err("bad_signature"));
    // Every flipped bit of every signed byte breaks the signature.
    for position in 0..good.authenticator_data.as_bytes().len() {
        let mut data = good.authenticator_data.as_bytes().to_vec();
        data[position] ^= 1;
        let changed = Assertion { authenticator_data: Bytes::new(data).unwrap(), ..good.clone() };
        assert_eq!(verify(&changed, &key, &challenge()), Err("bad_signature"));
    }
    for position in 0..good.client_data_json.as_bytes().len() {
        let mut data = good.client_data_json.as_bytes().to_vec();
        data[position] ^= 1;
        let changed = Assertion { client_data_json: Bytes::new(data).unwrap(), ..good.clone() };
        assert_eq!(verify(&changed, &key, &challenge()), Err("bad_signature"));
    }
}

#[test]
fn malformed_attestation_objects() {
    let response = SoftPasskey::new(RP_ID).register(&challenge(), ORIGIN);
    let good = response.attestation_object.as_bytes();
    // a3 63 "fmt" 64 "none" 67 "attStmt" a0 68 "authData" …
    let replace = |at: usize, bytes: &[u8]| {
        let mut changed = good.to_vec();
        changed.splice(at..at + bytes.len(), bytes.iter().copied());
        changed
    };
    let cases = [
        ("attestation_malformed", vec![]),
        ("attestation_malformed", good[..good.len() - 1].to_vec()),
        ("attestation_malformed", [good, &[0]].concat()),
        ("attestation_malformed", replace(0, &[0xa2])),
        ("attestation_malformed", [&[0xbf], &good[1..], &[0xff]].concat()),
        ("attestation_malformed", replace(2, b"fmx")),
        (
            "attestation_malformed",
            [&[0xa3, 0x63], b"fmt".as_slice(), &[0x64], b"none", &good[1..18]].concat(),
        ),
        ("attestation_malformed", replace(18, &[0x80])),
        ("attestation_statement_without_format", [&good[..18], &[0xa1, 0x61, b'a', 1], &good[19..]].concat()),
    ];
    for (code, bytes) in cases {
        let changed =
            RegistrationResponse { attestation_object: Bytes::new(bytes).unwrap(), ..response.clone() };
        let outcome = verify_registration(&changed, &site(), &challenge());
        assert_eq!(outcome.unwrap_err().code(), code, "{:02x?}", changed.attestation_object.as_bytes());
    }
}

#[test]
fn json_of_an_assertion_is_strict() {
    let assertion = SoftPasskey::new(RP_ID).assert(&challenge(), ORIGIN);
    let good = serde_json::to_value(&assertion).unwrap();
    let mut unknown = good.clone();
    unknown["user_handle"] = json!("AA");
    let mut padded = good.clone();
    padded["signature"] = json!("AA==");
    let mut too_long = good.clone();
    too_long["credential_id"] = json!("A".repeat(1366));
    for wrong in [unknown, padded, too_long] {
        assert!(serde_json::from_value::<Assertion>(wrong).is_err());
    }
}

#[test]
fn counters() {
    assert_eq!(counter_moved(0, 0), CounterMove::NotCounting);
    assert_eq!(counter_moved(0, 1), CounterMove::Grew);
    assert_eq!(counter_moved(u32::MAX - 1, u32::MAX), CounterMove::Grew);
    for (previous, current) in [(1, 1), (2, 1), (1, 0), (u32::MAX, 0)] {
        assert_eq!(counter_moved(previous, current), CounterMove::Suspicious);
    }
}

#[test]
fn relying_parties() {
    for (rp_id, origin) in [
        ("localhost", "http://localhost:8080"),
        ("localhost", "http://chancery.localhost"),
        ("example.org", "https://a.b.example.org"),
    ] {
        let site = RelyingParty::new(rp_id, [origin]).unwrap();
        let sent = serde_json::to_string(&site).unwrap();
        assert_eq!(serde_json::from_str::<RelyingParty>(&sent).unwrap(), site);
    }
    for origin in [
        "http://example.org",
        "https://example.org/",
        "https://example.org:0443",
        "https://badexample.org",
        "https://org",
        "https://example.org:",
        "https://example.org:99999",
        "https://user@example.org",
        "example.org",
        "ftp://example.org",
        "https://",
        "https://.example.org",
        "https://Example.org",
        "https://example.org.",
    ] {
        let outcome = RelyingParty::new("example.org", [origin]);
        assert!(matches!(outcome, Err(RelyingPartyError::InvalidOrigin { .. })), "{origin}: {outcome:?}");
    }
    for rp_id in ["", "Example.org", "example.org:443", "https://example.org", ".org", "exa mple.org"] {
        assert!(
            matches!(RelyingParty::new(rp_id, [ORIGIN]), Err(RelyingPartyError::InvalidId(_))),
            "{rp_id}"
        );
    }
    assert_eq!(RelyingParty::new(RP_ID, Vec::<String>::new()), Err(RelyingPartyError::OriginCount));
    assert!(serde_json::from_str::<RelyingParty>(r#"{"rp_id":"a","origins":["https://b"]}"#).is_err());
}

/// Test vectors of Web Authentication Level 3, section 16, in hexadecimal. Where the authenticator did not verify
/// its user, everything up to that check has passed, the signature included.
struct Published {
    registration: (&'static str, &'static str, &'static str),
    registers: Result<(), &'static str>,
    assertion: (&'static str, &'static str, &'static str, &'static str),
    asserts: Result<(), &'static str>,
}

const PUBLISHED: [Published; 3] = [
    // none.ES256
    Published {
        registration: (
            "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130",
            "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d",
            "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        ),
        registers: Err("user_not_verified"),
        assertion: (
            "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
            "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
            "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
            "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
        ),
        asserts: Err("user_not_verified"),
    },
    // packed-self.ES256
    Published {
        registration: (
            "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5",
            "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a2265476e4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c33417032392d55222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a205539685458764b453255526b4d6e625f307859485667227d",
            "a363666d74667061636b65646761747453746d74a263616c672663736967584630440220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d68617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab51697791506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2",
        ),
        registers: Ok(()),
        assertion: (
            "4478a10b1352348dd160c1353b0d469b5db19eb91c27f7dfa6fed39fe26af20b",
            "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50900000000",
            "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a225248696843784e534e493352594d45314f7731476d3132786e726b634a5f6666707637546e2d4a71386773222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a206754623533727a36456853576f6d58477a696d433151227d",
            "304402203310b9431903c401f1be2bdc8d23a4007682dbbddcf846994947b7f465daf84002204e94dd00047b316061b3b99772b7efd95994a83ef584b3b6b825ea3550251b66",
        ),
        asserts: Err("user_not_verified"),
    },
    // packed.ES256
    Published {
        registration: (
            "c1184a5fddf8045e13dc47f54b61f5a656b666b59018f16d870e9256e9952012",
            "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a227752684b58393334424634543345663153324831706c61325a725751475046746877365356756d56494249222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20396138624e596a4b436757724258552d66436c316167227d",
            "a363666d74667061636b65646761747453746d74a363616c6726637369675847304502203f19ec4b229f46ab8c45eff29b904ff10c0390dc40bf1216f04a78f4ceba3425022100fe7041a32759aff05a0f9f26c70a999c7a284451ba89234a1d3483c25e21925b637835638159022530820221308201c8a00302010202110088c220f83c8ef1feafe94deae45faad0300a06082a8648ce3d0403023062311e301c06035504030c15576562417574686e207465737420766563746f7273310c300a060355040a0c0357334331253023060355040b0c1c41757468656e74696361746f72204174746573746174696f6e204341310b30090603550406130241413020170d3234303130313030303030305a180f33303234303130313030303030305a305f311e301c06035504030c15576562417574686e207465737420766563746f7273310c300a060355040a0c0357334331223020060355040b0c1941757468656e74696361746f72204174746573746174696f6e310b30090603550406130241413059301306072a8648ce3d020106082a8648ce3d03010703420004a91ba4389409dd38a428141940ca8feb1ac0d7b4350558104a3777a49322f3798440f378b3398ab2d3bb7bf91322c92eb23556f59ad0a836fec4c7663b0e4dc3a360305e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e04160414a589ba72d060842ab11f74fb246bdedab16f9b9b301f0603551d2304183016801445aff715b0dd786741fee996ebc16547a3931b1e300a06082a8648ce3d040302034700304402201726b9d85ecd8a5ed51163722ca3a20886fd9b242a0aa0453d442116075defd502207ef471e530ac87961a88a7f0d0c17b091ffc6b9238d30f79f635b417be5910e768617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54d00000000876ca4f52071c3e9b25509ef2cdf7ed60020c9a6f5b3462d02873fea0c56862234f99f081728084e511bb7760201a89054a5a50102032620012158201cf27f25da591208a4239c2e324f104f585525479a29edeedd830f48e77aeae522582059e4b7da6c0106e206ce390c93ab98a15a5ec3887e57f0cc2bece803b920c423",
        ),
        registers: Ok(()),
        assertion: (
            "b1106fa46a57bef1781511c0557dc898a03413d5f0f17d244630c194c7e1adb5",
            "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50d00000000",
            "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2273524276704770587676463446524841565833496d4b4130453958773858306b526a44426c4d6668726255222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20415a4d77794d78496244382d756775464e7036723851227d",
            "30450220694969d3ee928de6f02ef23a9c644d7d779916451734a94b432542f498a1ebe90221008b0819c824218a97152cd099c55bfb1477b29d900a49a64018314f9bfccda163",
        ),
        asserts: Ok(()),
    },
];

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn published_vectors() {
    use chancery_evidence::cose::CosePublicKey;
    let site = RelyingParty::new("example.org", ["https://example.org"]).unwrap();
    for vector in PUBLISHED {
        let (challenge, client_data, attestation) = vector.registration;
        let response = RegistrationResponse {
            attestation_object: Bytes::new(hex(attestation)).unwrap(),
            client_data_json: Bytes::new(hex(client_data)).unwrap(),
        };
        let challenge = Sha256::try_from(hex(challenge).as_slice()).unwrap();
        let registered = verify_registration(&response, &site, &challenge);
        assert_eq!(registered.as_ref().map(|_| ()).map_err(|refusal| refusal.code()), vector.registers);

        // The authenticator data ends with the credential: 32 bytes of id, and 77 of key.
        let tail = hex(attestation);
        let (before, public_key) = tail.split_at(tail.len() - 77);
        let key = EnrolledKey {
            credential_id: Bytes::new(before[before.len() - 32..].to_vec()).unwrap(),
            public_key: CosePublicKey::parse(public_key).unwrap(),
            backup_eligible: true,
        };
        if let Ok(registered) = registered {
            assert_eq!(registered.enrolled_key(), key);
        }
        let (challenge, authenticator_data, client_data, signature) = vector.assertion;
        let assertion = Assertion {
            credential_id: key.credential_id.clone(),
            authenticator_data: Bytes::new(hex(authenticator_data)).unwrap(),
            client_data_json: Bytes::new(hex(client_data)).unwrap(),
            signature: Bytes::new(hex(signature)).unwrap(),
        };
        let challenge = Sha256::try_from(hex(challenge).as_slice()).unwrap();
        let outcome = verify_assertion(&assertion, &key, &site, &challenge);
        assert_eq!(outcome.map(|_| ()).map_err(|refusal| refusal.code()), vector.asserts);
    }
}
