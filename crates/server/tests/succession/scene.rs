//! An installation whose trust root, authorities and log are renewed.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;

use chancery_evidence::trust::{TrustDirectory, TrustRoot, trust_challenge};
use chancery_evidence::verify::{Options, verify_zip};
use chancery_issuer::issue::read_certificate;
use chancery_server::successor::Proposal;
use chancery_server::{
    Change, ProposeError, ProposeOptions, Proposed, RotateError, RotateOptions, Rotated, propose, rotate_log,
};
use chancery_testkit::corpus;
use serde_json::{Value, json};

use crate::world::{Answer, ORIGIN, Person, World, trust};

/// An installation with an engineer, an approver and two administrators.
pub struct Scene {
    pub world: World,
    pub erin: Person,
    pub olga: Person,
    pub ada: Person,
    pub ben: Person,
}

impl Scene {
    pub fn new() -> Self {
        Self::of(World::new())
    }

    pub fn of(world: World) -> Self {
        let (world, mut ada, mut ben) = world.enrol_and_seal();
        let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
        let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
        Self { world, erin, olga, ada, ben }
    }

    pub fn folder(&self) -> PathBuf {
        self.world.data().join("trust")
    }

    pub fn options(&self, changes: &[(&str, Value)]) -> ProposeOptions {
        let change = |(pointer, value): &(&str, Value)| Change {
            pointer: (*pointer).to_owned(),
            value: Some(value.clone()),
        };
        let clock = Some(self.world.clock.clone());
        ProposeOptions { changes: changes.iter().map(change).collect(), replace: true, clock }
    }

    pub fn propose(&self, changes: &[(&str, Value)]) -> Result<Proposed, ProposeError> {
        self.world.runtime.block_on(propose(&self.world.data(), self.options(changes)))
    }

    /// Signs with somebody's passkey what waits, whatever it is.
    pub fn sign(world: &World, person: &mut Person, root: &TrustRoot) -> Answer {
        let assertion = person.passkey.assert(&trust_challenge(root), ORIGIN);
        let body = json!({"successor_sha256": root.sha256().to_hex(), "assertion": assertion});
        world.call(person, "POST", "/api/v1/trust/successor/signatures", Some(&body))
    }

    /// Two administrators sign what waits.
    pub fn seal(&mut self) {
        let root = Proposal::read(&self.world.data()).unwrap().unwrap().root().unwrap();
        for (person, status) in [(&mut self.ada, "waiting"), (&mut self.ben, "recorded")] {
            let outcome = Self::sign(&self.world, person, &root).good();
            assert_eq!(outcome["status"], json!(status), "{outcome}");
        }
        assert_eq!(trust(&self.folder()).root().sha256(), root.sha256());
    }

    /// A request that its one approver let through.
    pub fn approved(&mut self) -> String {
        let request = self.world.request(&mut self.erin, "staging");
        self.world.decide(&mut self.olga, &request, "approve", None).good();
        request
    }

    pub fn credential(&self, request: &str) -> Answer {
        self.world.call(&self.erin, "POST", &format!("/api/v1/grants/{request}/credentials"), None)
    }

    pub fn evidence(&self, request: &str) -> Vec<u8> {
        self.world.call(&self.erin, "GET", &format!("/api/v1/requests/{request}/evidence"), None).bytes
    }
}

/// The checks that fail. The bundle is kept for other verifiers.
pub fn failed(zip: &[u8], directory: &TrustDirectory) -> Vec<&'static str> {
    corpus::keep_with(&corpus::test_name(), zip, directory, ("ssh", &read_certificate));
    let options =
        Options { require_replay: true, certificates: Some(&read_certificate), ..Options::default() };
    verify_zip(zip, directory, &options).failed()
}

/// The next step of a rotation.
pub fn rotate(scene: &Scene, origin: Option<&str>) -> Result<Rotated, RotateError> {
    let options = RotateOptions {
        origin: origin.map(|name| name.parse().unwrap()),
        checkpoints: Vec::new(),
        clock: Some(scene.world.clock.clone()),
    };
    scene.world.runtime.block_on(rotate_log(&scene.world.data(), options))
}

impl Scene {
    /// Administrators sign in at the closed server and sign what closes the log.
    pub fn close_and_sign(&mut self) -> TrustRoot {
        self.world.start();
        let root = Proposal::read(&self.world.data()).unwrap().unwrap().root().unwrap();
        for (person, status) in [(&mut self.ada, "waiting"), (&mut self.ben, "recorded")] {
            self.world.sign_in(person);
            assert_eq!(Self::sign(&self.world, person, &root).good()["status"], json!(status));
        }
        self.world.stop();
        root
    }

    pub fn move_on(&mut self) {
        self.world.start();
        for person in [&mut self.erin, &mut self.olga, &mut self.ada, &mut self.ben] {
            self.world.sign_in(person);
        }
    }
}
