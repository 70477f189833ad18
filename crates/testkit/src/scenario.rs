//! A whole installation in memory: people, policy, log, and one request from its submission to its credential.
//! What an honest server does goes through the domain's `decide`; a dishonest one records what it likes with
//! [`Scenario::record`], and its log and attestations are then as good as honest ones.

mod export;
mod log;
mod steps;

use std::collections::BTreeMap;
use std::path::Path;

use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::document::RequestDocument;
use chancery_domain::event::{PolicyActivated, PolicyEvent, Submitted};
use chancery_domain::id::{LeaseId, PersonId};
use chancery_domain::leaf::Stream;
use chancery_domain::proof::VerifiedApproval;
use chancery_domain::signature::Authority;
use chancery_domain::state::State;
use chancery_domain::verdict::{Verdict, VerdictDocument};
use chancery_evidence::dsse::Envelope;
use chancery_evidence::trust::{Floor, TrustDirectory, TrustDocument, TrustRoot};
use chancery_policy::{Bundle, ConcealedInput, Engine, engine_version};
use serde_json::json;

use crate::people::World;

pub use export::{certificate_reader, read_leaf};

/// Name of the entitlement that is asked for.
pub const ENTITLEMENT: &str = "ssh-admin";

/// One installation with one request.
pub struct Scenario {
    /// People, their keys, and the clock.
    pub world: World,
    /// The policy.
    pub engine: Engine,
    /// What is asked. Change it before [`Scenario::submit`], or between revisions.
    pub document: RequestDocument,
    /// Clear values of the document.
    pub document_disclosures: Vec<Disclosure>,
    /// Where the request stands.
    pub state: Option<State>,
    /// Approvals that stand.
    pub approvals: Vec<VerifiedApproval>,
    /// Verdict of the request phase.
    pub standing: Option<VerdictDocument>,
    /// What trust.json will say; change it before [`Scenario::trust`].
    pub trust_document: TrustDocument,
    log: log::MemoryLog,
    /// Leaves of the world that are in the log already.
    synced: usize,
    judged: BTreeMap<Sha256, (Verdict, ConcealedInput)>,
    judged_at: BTreeMap<u64, Sha256>,
    disclosures: BTreeMap<u64, Vec<Disclosure>>,
    envelopes: BTreeMap<u64, Envelope>,
    credentials: BTreeMap<LeaseId, String>,
    salts: u8,
}

/// The default policy of this repository.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn default_policy() -> Engine {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Engine::prepare(Bundle::read(&directory).unwrap()).unwrap()
}

impl Default for Scenario {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
impl Scenario {
    /// Two administrators (`ada`, `bob`); `rita` asks; `owen` owns the service, `sam` and `sue` are security. The
    /// policy is active, nothing was asked yet.
    pub fn new() -> Self {
        Self::with_policy(default_policy())
    }

    /// The same under another policy.
    pub fn with_policy(engine: Engine) -> Self {
        Self::in_world(World::new(), engine)
    }

    /// The same in a world where nobody is yet.
    pub fn in_world(world: World, engine: Engine) -> Self {
        let mut world = world.and_two_administrators();
        let administrators = ["ada", "bob"];
        for (name, roles) in [
            ("rita", ["engineer"].as_slice()),
            ("owen", &["service_owner", "engineer"]),
            ("sam", &["security"]),
            ("sue", &["security"]),
        ] {
            world.now = world.now.plus(5);
            world.add_member(name, roles, &administrators);
        }
        let trust_document = trust_document(&world, &engine);
        let document = world.request_document("rita", "login");
        let mut scenario = Self {
            world,
            engine,
            document,
            document_disclosures: Vec::new(),
            state: None,
            approvals: Vec::new(),
            standing: None,
            trust_document,
            log: log::MemoryLog::default(),
            synced: 0,
            judged: BTreeMap::new(),
            judged_at: BTreeMap::new(),
            disclosures: BTreeMap::new(),
            envelopes: BTreeMap::new(),
            credentials: BTreeMap::new(),
            salts: 0,
        };
        scenario.sync_people();
        scenario.activate_policy();
        scenario.draft();
        scenario
    }

    /// An approved request with a live credential.
    pub fn honest() -> Self {
        let mut scenario = Self::new();
        scenario.submit();
        scenario.approve("owen");
        scenario.approve("sam");
        scenario.activate();
        scenario.issue("first");
        scenario
    }

    /// The trust root as it stands in `trust_document`.
    pub fn trust(&self) -> TrustDirectory {
        let root = TrustRoot::new(self.trust_document.clone()).unwrap();
        TrustDirectory::read(&TrustDirectory::render(&root).unwrap()).unwrap()
    }

    /// Puts new identity leaves of the world into the log.
    pub fn sync_people(&mut self) {
        let leaves: Vec<_> = self.world.leaves().iter().skip(self.synced).cloned().collect();
        self.synced += leaves.len();
        for (_, leaf) in leaves {
            self.log.push_event(leaf);
        }
    }

    /// Lets some time pass.
    pub fn wait(&mut self, seconds: u64) {
        self.world.now = self.world.now.plus(seconds);
    }

    /// A fresh salt.
    pub fn salt(&mut self) -> [u8; 16] {
        self.salts += 1;
        [self.salts; 16]
    }

    /// The leaves of a person's stream.
    pub fn leaves_of(&self, person: &PersonId) -> Vec<u64> {
        self.log.indices(&Stream::Identity(person.clone()))
    }

    /// Puts an invented verdict where policy's own was, with the same input.
    pub fn replace_verdict(&mut self, honest: &Verdict, invented: &Verdict) {
        if let Some((_, input)) = self.judged.remove(&honest.sha256()) {
            self.judged.insert(invented.sha256(), (invented.clone(), input));
        }
    }

    /// The body that a submission of the current document by its requester has.
    pub fn signed_by_requester(&mut self) -> (Submitted, Canonical) {
        let document = self.document.clone();
        self.world.sign_request("rita", &document)
    }

    fn activate_policy(&mut self) {
        let event = PolicyEvent::Activated(PolicyActivated {
            sequence: 1,
            from: None,
            to: self.engine.bundle().digest(),
            engine: engine_version().to_owned(),
            authority: Authority::Genesis,
        });
        let at = self.world.now;
        self.log.push(Stream::Policy, &event, at);
    }

    /// A login to production, with a justification that is concealed.
    fn draft(&mut self) {
        let entitlement = self.engine.bundle().entitlement(ENTITLEMENT).unwrap();
        self.document.entitlement.name = ENTITLEMENT.to_owned();
        self.document.entitlement.sha256 = entitlement.digest();
        self.document.parameters = json!({
            "environment": "production", "host": "web-1.example", "principal": "deploy",
        })
        .as_object()
        .unwrap()
        .clone();
        self.document.ticket = Some("OPS-1".to_owned());
        self.document.clocks.grant_seconds = 300;
        self.document.created_at = self.world.now;
        let salt = self.salt();
        let why = Disclosure::new(&salt, "justification", "the disk is <b>full</b>".into()).unwrap();
        let digest = chancery_canonical::base64::encode_url(why.digest().as_bytes());
        self.document.concealed = vec![digest];
        self.document_disclosures = vec![why];
    }
}

fn trust_document(world: &World, engine: &Engine) -> TrustDocument {
    let mut document = world.trust_document();
    document.policy.genesis_sha256 = engine.bundle().digest();
    document.engines = vec![engine_version().to_owned()];
    let floor = Floor {
        minimum_approvers: 2,
        maximum_seconds: 900,
        allow: false,
        break_glass: false,
        override_denied: false,
        oidc: false,
    };
    document.floors = BTreeMap::from([(ENTITLEMENT.to_owned(), floor)]);
    document
}
