//! A sealed installation with people in it, and what they are going to send, signed beforehand.

use chancery_server::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::request;
use crate::process::Process;
use crate::world::{Person, World, random, signed_request, ssh_draft};

/// Undecided requests that one person may have; as many as the configuration allows.
pub const PENDING: usize = 200;

/// Those who ask in one party: each of them asks so seldom within an hour that policy does not find it many.
const ASKERS: usize = 16;

/// Those who ask, in turn, and those who decide.
pub struct Party {
    pub askers: Vec<Person>,
    pub owner: Person,
    pub security: Person,
    /// Decides as well where policy wants two of the security team: on the first request of each asker.
    pub second: Person,
}

pub struct Installation {
    pub world: World,
    pub process: Option<Process>,
    /// Those who only ask.
    pub requesters: Vec<Person>,
    /// Those who go the whole way.
    pub parties: Vec<Party>,
    /// Submissions of each requester so far.
    submitted: usize,
}

impl Installation {
    /// Makes it, with so many people.
    pub fn new(requesters: usize, parties: usize) -> Self {
        let folder = TempDir::new_in(".").unwrap();
        let mut process = None;
        let started = &mut process;
        let world = World::beside(folder, loosen, |data| {
            let server = Process::start(data);
            let address = server.address;
            *started = Some(server);
            address
        });
        let mut new = Self { world, process, requesters: Vec::new(), parties: Vec::new(), submitted: 0 };
        let (mut ada, mut ben) = new.seal();
        for number in 0..requesters {
            let mut person = new.world.admit(&format!("Erin {number}"), &["engineer"], &mut ada, &mut ben);
            new.world.log_in(&mut person);
            new.requesters.push(person);
        }
        for number in 0..parties {
            let mut admit = |name: &str, role: &str| {
                new.world.admit(&format!("{name} {number}"), &[role], &mut ada, &mut ben)
            };
            let mut party = Party {
                askers: (0..ASKERS).map(|_| admit("Erika", "engineer")).collect(),
                owner: admit("Olga", "service_owner"),
                security: admit("Sven", "security"),
                second: admit("Sara", "security"),
            };
            for asker in &mut party.askers {
                new.world.log_in(asker);
                // From then on it is known where they ask from.
                let draft = new.world.draft(asker, "production");
                new.world.submit(asker, &draft).good();
            }
            new.parties.push(party);
        }
        new
    }

    fn seal(&mut self) -> (Person, Person) {
        let token = self.world.first_link.clone();
        let mut ada = self.world.enrol(&token, "Ada");
        self.world.sign_in(&mut ada);
        let token = self.world.invite(&ada, &[]);
        let mut ben = self.world.enrol(&token, "Ben");
        self.world.sign_in(&mut ben);
        self.world.seal();
        (ada, ben)
    }

    /// The server's process.
    pub fn server(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// Stops the server, lets somebody else at its journal, and starts it again.
    pub fn without_server(&mut self, work: impl FnOnce(&World)) {
        self.process.take().unwrap().stop();
        work(&self.world);
        let process = Process::start(&self.world.data());
        self.world.moved_to(process.address);
        self.process = Some(process);
    }

    /// So many signed submissions, of the requesters in turn, ready to be sent within the next minute.
    pub fn submissions(&mut self, count: usize) -> Vec<Vec<u8>> {
        let drafts: Vec<Value> =
            self.requesters.iter().map(|person| self.world.draft(person, "production")).collect();
        let mut made = Vec::with_capacity(count);
        let people = self.requesters.len();
        for number in 0..count {
            let (person, draft) = (&mut self.requesters[number % people], &drafts[number % people]);
            let body = signed_request(person, &another(draft)).to_string();
            made.push(self.world.prepared(person, "POST", "/api/v1/requests", body.as_bytes()));
        }
        self.submitted += count.div_ceil(people);
        assert!(
            self.submitted <= PENDING,
            "more than {PENDING} requests of each would wait: have more requesters"
        );
        made
    }
}

impl World {
    /// The bytes of a request by somebody.
    pub fn prepared(&self, person: &Person, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        request(method, path, &self.credentials(&person.session, method, path), body)
    }
}

/// The same draft under another id, so that it can be signed and sent as a request of its own.
fn another(draft: &Value) -> Value {
    use chancery_canonical::Canonical;
    use chancery_canonical::base64::encode_url;
    use chancery_domain::document::{RequestDocument, challenge};
    let mut document: Value = serde_json::from_str(draft["document"].as_str().unwrap()).unwrap();
    document["id"] = json!(fresh_id());
    let canonical = Canonical::of(&document).unwrap();
    let signed = challenge::<RequestDocument>(&canonical);
    json!({
        "document": canonical.as_str(),
        "disclosures": draft["disclosures"],
        "challenge": encode_url(signed.as_bytes()),
    })
}

/// A request's id of about now.
pub fn fresh_id() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    ulid::Ulid::from_parts(now.as_millis() as u64, u128::from_be_bytes(random())).to_string()
}

/// What asks for a login to production.
pub fn draft_body(person: &Person) -> Vec<u8> {
    ssh_draft(person, "production").to_string().into_bytes()
}

/// Lifts the limits that bound one person and one address; here a few of them are everybody.
fn loosen(config: &mut Config) {
    config.limits.pending_requests = 1_000_000;
    config.limits.pending_requests_per_person = PENDING;
    config.limits.open_requests_per_minute = 100_000;
    config.limits.invitation_seconds = 3600;
    // The same at every hour; weekends are outside of working hours all the same.
    (config.calendar.working_from_hour, config.calendar.working_until_hour) = (0, 24);
}
