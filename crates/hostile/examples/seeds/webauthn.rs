//! What software passkeys say, honestly and otherwise.

use chancery_evidence::registration::RegistrationResponse;
use chancery_hostile::{Stranger, challenge, relying_party};
use chancery_testkit::passkey::{Deviation, Maker, SoftPasskey};
use minicbor::Encoder;

use super::Seeds;

pub fn seeds(seeds: &mut Seeds) {
    let mut passkey = SoftPasskey::new(relying_party().id());
    keys(&passkey, seeds);
    let extensions = Some(b"\xa1\x6bhmac-secret\xf5".to_vec());
    let deep = Some([b"\xa1\x61a".as_slice(), &[0x81; 60], b"\x00"].concat());
    for (name, deviation) in [
        ("plain", Deviation::default()),
        ("extensions", Deviation { extensions, ..Deviation::default() }),
        ("deep-extensions", Deviation { extensions: deep, ..Deviation::default() }),
        ("maker", Deviation { maker: Some(Maker::new()), ..Deviation::default() }),
        ("nobody", Deviation { without_presence: true, ..Deviation::default() }),
    ] {
        let response = passkey.register_with(&challenge(), origin(), &deviation);
        seeds.add("attestation_object", name, response.attestation_object.as_bytes());
        seeds.add("authenticator_data", &format!("registration-{name}"), said(&response));
        let assertion = passkey.assert_with(&challenge(), origin(), &deviation);
        let (data, client_data) = (assertion.authenticator_data, assertion.client_data_json);
        seeds.add("authenticator_data", name, data.as_bytes());
        let length = u8::try_from(data.as_bytes().len()).unwrap();
        seeds.add("signed_assertion", name, [&[length], data.as_bytes(), client_data.as_bytes()].concat());
        let signed = Stranger::new().sign(data.as_bytes(), client_data.as_bytes()).unwrap();
        seeds.add("assertion", name, serde_json::to_vec(&signed).unwrap());
    }
}

fn origin() -> &'static str {
    "https://chancery.test"
}

/// The authenticator data in an attestation object: its last member.
fn said(response: &RegistrationResponse) -> Vec<u8> {
    let object = response.attestation_object.as_bytes();
    let name = b"\x68authData";
    let at = object.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    minicbor::Decoder::new(&object[at..]).bytes().unwrap().to_vec()
}

fn keys(passkey: &SoftPasskey, seeds: &mut Seeds) {
    seeds.add("cose_key", "es256", passkey.public_key().as_bytes());
    let mut eddsa = Encoder::new(Vec::new());
    let key = chancery_testkit::people::ed25519("a stranger");
    eddsa.map(4).unwrap().u8(1).unwrap().u8(1).unwrap().u8(3).unwrap().i8(-8).unwrap();
    eddsa.i8(-1).unwrap().u8(6).unwrap().i8(-2).unwrap();
    eddsa.bytes(ring::signature::KeyPair::public_key(&key).as_ref()).unwrap();
    seeds.add("cose_key", "eddsa", eddsa.into_writer());
    let mut rs256 = Encoder::new(Vec::new());
    rs256.map(4).unwrap().u8(1).unwrap().u8(3).unwrap().u8(3).unwrap().i16(-257).unwrap();
    rs256.i8(-1).unwrap().bytes(&[0xa5; 256]).unwrap().i8(-2).unwrap().bytes(&[1, 0, 1]).unwrap();
    seeds.add("cose_key", "rs256", rs256.into_writer());
}
