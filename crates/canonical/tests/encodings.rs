//! Digests and base64: one spelling each.

use chancery_canonical::base64::{self, Base64Error};
use chancery_canonical::{Bytes, Sha256};

#[test]
fn digests() {
    // FIPS 180-4 example values
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Sha256::of(b"abc").to_string(), abc);
    assert_eq!(Sha256::of_parts(&[b"a", b"", b"bc"]), Sha256::of(b"abc"));
    assert_eq!(abc.parse::<Sha256>().unwrap(), Sha256::of(b"abc"));
    assert_eq!(serde_json::to_string(&Sha256::of(b"abc")).unwrap(), format!("\"{abc}\""));
    assert_eq!(serde_json::from_str::<Sha256>(&format!("\"{abc}\"")).unwrap(), Sha256::of(b"abc"));
    let mixed = format!("{}A", abc.get(1..).unwrap());
    for wrong in
        ["", "00", &abc.to_uppercase(), &format!("{abc}0"), &format!(" {abc}"), &mixed, &"é".repeat(32)]
    {
        assert!(wrong.parse::<Sha256>().is_err(), "{wrong}");
    }
    assert!(Sha256::try_from([0; 31].as_slice()).is_err());
}

#[test]
fn base64_has_one_spelling() {
    // RFC 4648, section 10
    for (bytes, standard) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(base64::encode_standard(bytes.as_bytes()), standard);
        assert_eq!(base64::decode_standard(standard).unwrap(), bytes.as_bytes());
        let url = standard.trim_end_matches('=');
        assert_eq!(base64::encode_url(bytes.as_bytes()), url);
        assert_eq!(base64::decode_url(url).unwrap(), bytes.as_bytes());
    }
    for loose in ["Zg==", "Zh", "Zg ", " Zg", "Z g", "Zg\n", "Z", "+_8", "/w", "Zg=", "Zm9"] {
        assert_eq!(base64::decode_url(loose), Err(Base64Error::NotUrlSafe), "{loose}");
    }
    for loose in ["Zg", "Zg=", "Zh==", "Zg==\n", "Zg== ", "Zm9v=", "-w==", "_w==", "Zm9vZg==Zg==", "===="] {
        assert_eq!(base64::decode_standard(loose), Err(Base64Error::NotStandard), "{loose}");
    }
}

#[test]
fn bytes_are_limited() {
    assert_eq!(serde_json::to_string(&Bytes::<4>::new([0xff, 0xfe]).unwrap()).unwrap(), "\"__4\"");
    assert_eq!(serde_json::from_str::<Bytes<2>>("\"__4\"").unwrap().as_bytes(), [0xff, 0xfe]);
    assert!(serde_json::from_str::<Bytes<1>>("\"__4\"").is_err());
    assert!(serde_json::from_str::<Bytes<2>>("\"__4=\"").is_err());
    assert_eq!(Bytes::<1>::new([1, 2]), Err(Base64Error::TooLong { length: 2, maximum: 1 }));
}
