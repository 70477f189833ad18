//! One run: two servers on one disk, five people, a clock, and a seed that decides about every step.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_evidence::verify::{Options, Outcome as Checked, verify_zip};
use chancery_faults::{Mode, choose_on_this_thread};
use chancery_issuer::issue::read_certificate;
use chancery_issuer::ssh::{AuthorityKey, Certificate, Krl};
use chancery_server::embedded::Embedded;
use chancery_server::{Clock, Config};
use chancery_simulation::{Chance, Disk, Fate, Sabotage, SimulatedStore, StepKind};
use chancery_store::AnyStore;
use serde_json::Value;
use tokio::task::AbortHandle;

use crate::actions::{Action, Hand, Outcome, call, perform};
use crate::base::{Base, ENGINEERS, PEOPLE, minted};
use crate::checks::{Model, Violation};

/// Things that people do in one run.
const ACTIONS: usize = 20;
/// Beyond these steps something goes round in circles.
const MAX_STEPS: usize = 40_000;
/// Turns of the scheduler after which whoever is still quiet waits for a step.
const QUIET_TURNS: usize = 6;
/// Most seconds that the clock moves on while people are signed in.
const MAX_SECONDS: u64 = 6 * 3600;

/// What came of a run.
pub struct Report {
    /// The run, a line a step.
    pub history: String,
    /// Why it failed.
    pub violation: Option<Violation>,
    /// Events in the log, certificates issued, faults injected.
    pub counts: [usize; 3],
}

/// Runs one seed.
pub fn run(base: &Base, seed: u64, sabotage: Option<Sabotage>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (folder, config) = base.folder();
    let mut run = Run::new(base, seed, sabotage, config, folder.path().to_owned());
    let violation = runtime.block_on(run.whole()).err();
    if let Some(violation) = &violation {
        run.told(format!("VIOLATION  {violation}"));
    }
    let counts = [run.disk.visible().leaves().len(), run.model.issued(), run.faults];
    Report { history: run.history.join("\n"), violation, counts }
}

/// Something that is under way.
struct Flight {
    what: What,
    server: usize,
    done: Arc<Mutex<Option<Outcome>>>,
    task: AbortHandle,
}

#[derive(Clone)]
enum What {
    /// A person does something.
    Act { person: usize, action: Action },
    /// A server runs what is due.
    Effects,
}

struct Server {
    embedded: Embedded,
    store: SimulatedStore,
}

struct Run<'a> {
    base: &'a Base,
    seed: u64,
    chance: Chance,
    config: Config,
    folder: PathBuf,
    disk: Disk,
    clock: Clock,
    servers: [Option<Server>; 2],
    hands: Vec<Hand>,
    flights: Vec<Flight>,
    model: Model,
    history: Vec<String>,
    /// Requests in the order in which they came, for short names.
    names: Vec<String>,
    /// Decisions that somebody may send again.
    overheard: Vec<(String, Value)>,
    keys: usize,
    faults: usize,
    /// The issuer's files cannot be used.
    issuer_down: Rc<Cell<bool>>,
    /// Nothing fails any more.
    calm: bool,
    /// Something was written or answered since the newest check.
    changed: bool,
    advanced: u64,
    starts: u64,
}

impl<'a> Run<'a> {
    fn new(base: &'a Base, seed: u64, sabotage: Option<Sabotage>, config: Config, folder: PathBuf) -> Self {
        let deciders = base.people.iter().skip(ENGINEERS).map(|person| person.id.clone()).collect();
        Self {
            base,
            seed,
            chance: Chance::new(seed),
            config,
            folder,
            disk: Disk::gated(base.state.clone(), base.key.clone(), sabotage),
            clock: Clock::fixed(base.start),
            servers: [None, None],
            hands: base
                .people
                .iter()
                .map(|person| Arc::new(tokio::sync::Mutex::new(person.clone())))
                .collect(),
            flights: Vec::new(),
            model: Model::of(deciders),
            history: Vec::new(),
            names: Vec::new(),
            overheard: Vec::new(),
            keys: 0,
            faults: 0,
            issuer_down: Rc::default(),
            calm: false,
            changed: false,
            advanced: 0,
            starts: 0,
        }
    }

    async fn whole(&mut self) -> Result<(), Violation> {
        let down = Rc::clone(&self.issuer_down);
        let _chosen = choose_on_this_thread(move |point| {
            (down.get() && point.starts_with("issuer.") && !point.ends_with(".read")).then_some(Mode::NotDone)
        });
        for server in 0..self.servers.len() {
            self.start(server).await?;
        }
        let (mut acted, mut steps) = (0, 0);
        while acted < ACTIONS || !self.flights.is_empty() {
            steps += 1;
            if steps > MAX_STEPS {
                return Err("it goes on and on".to_owned());
            }
            self.settle().await?;
            let waits = !self.disk.steps().is_empty();
            match self.chance.below(1000) {
                0..930 if waits => self.step()?,
                930..942 if waits => self.disturb().await?,
                _ if acted < ACTIONS => acted += usize::from(self.act().await?),
                _ if waits => self.step()?,
                _ if self.flights.is_empty() => {}
                _ => self.stuck().await?,
            }
        }
        self.end().await
    }

    /// A line of the history, with short names for long ones.
    fn told(&mut self, line: String) {
        let time = self.clock.now().to_string();
        let mut line = format!("{}  {line}", time.get(8..19).unwrap_or_default());
        for (index, id) in self.names.iter().enumerate() {
            line = line.replace(id.as_str(), &format!("r{}", index + 1));
        }
        self.history.push(line);
    }

    /// Waits until everybody waits for a step, and takes in what has ended.
    async fn settle(&mut self) -> Result<(), Violation> {
        let done = |flights: &[Flight]| flights.iter().filter(|flight| flight.outcome().is_some()).count();
        let (mut seen, mut quiet) = ((self.disk.asked(), done(&self.flights)), 0);
        while quiet < QUIET_TURNS {
            tokio::task::yield_now().await;
            let now = (self.disk.asked(), done(&self.flights));
            quiet = if now == seen { quiet + 1 } else { 0 };
            seen = now;
        }
        let (over, open): (Vec<Flight>, Vec<Flight>) =
            std::mem::take(&mut self.flights).into_iter().partition(|flight| flight.outcome().is_some());
        self.flights = open;
        for flight in over {
            self.landed(flight);
            self.changed = true;
        }
        if std::mem::take(&mut self.changed) { self.model.check_step(&self.disk.visible()) } else { Ok(()) }
    }

    fn landed(&mut self, flight: Flight) {
        let Some(outcome) = flight.outcome() else { return };
        let Outcome { told, promises, decision, lease } = outcome;
        for promise in &promises {
            if !self.names.contains(&promise.request) {
                self.names.push(promise.request.clone());
            }
        }
        self.model.promises.extend(promises);
        match flight.what {
            What::Effects => self.told(format!("s{} effects ran: {told}", flight.server + 1)),
            What::Act { person, action } => {
                let line = format!("{} {}: {told}", name(person), action.told(str::to_owned));
                if let (Action::Decide { request, .. }, Some(decision)) = (&action, decision) {
                    self.overheard.push((request.clone(), decision));
                }
                if let (Action::Credential { request, key }, Some(lease)) = (action, lease) {
                    self.model.asked.entry((request, key)).or_default().insert(lease);
                }
                self.told(line);
            }
        }
    }

    /// Lets one step happen.
    fn step(&mut self) -> Result<(), Violation> {
        let steps = self.disk.steps();
        let Some(step) = self.chance.pick(&steps) else { return Ok(()) };
        // In a thousand: a call reads often and writes seldom, and most calls ought to get somewhere.
        let often = if step.kind == StepKind::Write { 40 } else { 3 };
        let fate = match self.chance.below(1000) {
            roll if self.calm || roll >= 2 * often => Fate::Done,
            roll if roll >= often => Fate::NotDone,
            _ => Fate::DoneButFailed,
        };
        self.faults += usize::from(fate != Fate::Done);
        let happened = self.disk.happen(step.number, fate);
        let told: Vec<String> = happened.iter().map(|step| step.what.clone()).collect();
        if step.kind == StepKind::Write || fate != Fate::Done {
            let how = match fate {
                Fate::Done => "",
                Fate::NotDone => "  FAILS, not done",
                Fate::DoneButFailed => "  FAILS, done all the same",
            };
            self.changed = true;
            self.name_requests();
            self.told(format!("s{}   {}{how}", step.server + 1, told.join(" + ")));
        }
        Ok(())
    }

    /// Requests get their short names as soon as they are in the log.
    fn name_requests(&mut self) {
        let state = self.disk.visible();
        let index = self.base.state.leaves().len() as u64;
        for event in state.events_from(index).filter(|event| event.position.version == 1) {
            let stream = event.position.stream.to_string();
            let Some(id) = stream.strip_prefix("request/").map(str::to_owned) else { continue };
            if !self.names.contains(&id) {
                self.names.push(id);
            }
        }
    }

    /// Something happens around them: the clock, a crash, the power, the issuer.
    async fn disturb(&mut self) -> Result<(), Violation> {
        match self.chance.below(10) {
            0..2 => {
                let server = self.chance.below(2);
                self.crash(server)?;
                self.start(server).await
            }
            2 => {
                self.crash(0)?;
                self.crash(1)?;
                self.disk.cut_power();
                self.told("the power is cut".to_owned());
                self.deep_check()?;
                self.start(0).await?;
                self.start(1).await
            }
            3 => {
                let down = !self.issuer_down.get();
                self.issuer_down.set(down);
                self.told(format!("the issuer's files are {}", if down { "gone" } else { "back" }));
                Ok(())
            }
            4 if self.chance.percent(30) => {
                let back = self.clock.now().unix() - 3600;
                self.clock.set(chancery_domain::time::Timestamp::from_unix(back).unwrap());
                self.told("the clock is set back an hour".to_owned());
                self.advanced = self.advanced.saturating_sub(3600);
                Ok(())
            }
            4..7 => {
                self.effects();
                Ok(())
            }
            _ => {
                let seconds = [5, 70, 200, 700, 3_700];
                let by = self.chance.pick(&seconds).copied().unwrap_or(5);
                self.advance(by);
                Ok(())
            }
        }
    }

    fn advance(&mut self, seconds: u64) {
        if self.advanced + seconds > MAX_SECONDS && !self.calm {
            return;
        }
        self.advanced += seconds;
        self.clock.advance(seconds);
        self.told(format!("{seconds} seconds later"));
    }

    fn crash(&mut self, server: usize) -> Result<(), Violation> {
        let Some(dead) = self.servers.get_mut(server).and_then(Option::take) else { return Ok(()) };
        self.disk.kill(&dead.store);
        self.told(format!("s{} is killed", server + 1));
        // What was under way on it is never answered; its people stop waiting and are free again.
        let (lost, left): (Vec<Flight>, Vec<Flight>) =
            std::mem::take(&mut self.flights).into_iter().partition(|flight| flight.server == server);
        self.flights = left;
        for flight in lost {
            flight.task.abort();
            if let What::Act { person, action } = flight.what {
                self.told(format!("{} {}: no answer", name(person), action.told(str::to_owned)));
            }
        }
        Ok(())
    }

    /// Starts a server; its own steps happen at once, and while the clock is behind the log it waits.
    async fn start(&mut self, server: usize) -> Result<(), Violation> {
        // As often as the clock can have been set back.
        for _ in 0..=MAX_SECONDS {
            let store = self.disk.attach(server);
            self.starts += 1;
            let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(self.starts);
            let any = AnyStore::new(store.clone());
            let open =
                Embedded::open(self.config.clone(), self.clock.clone(), any, self.base.policy.clone(), seed);
            let opened = tokio::spawn(open);
            let was_down = self.issuer_down.replace(false);
            while !opened.is_finished() {
                tokio::task::yield_now().await;
                let own = self.disk.steps().into_iter().find(|step| step.server == server);
                if let Some(step) = own {
                    self.disk.happen(step.number, Fate::Done);
                }
            }
            self.issuer_down.set(was_down);
            match opened.await {
                Ok(Ok(embedded)) => {
                    self.told(format!("s{} starts", server + 1));
                    self.servers[server] = Some(Server { embedded, store });
                    return Ok(());
                }
                Ok(Err(error)) if error.to_string().contains("set the clock") => {
                    self.told(format!("s{} does not start: the clock is behind", server + 1));
                    self.disk.kill(&store);
                    self.clock.advance(3600);
                    self.told("the clock is put right".to_owned());
                }
                Ok(Err(error)) => return Err(format!("s{} does not start: {error}", server + 1)),
                Err(error) => return Err(format!("s{} falls over at its start: {error}", server + 1)),
            }
        }
        Err(format!("s{} does not start", server + 1))
    }

    /// Somebody who has nothing to do does something. `false`: nobody could.
    async fn act(&mut self) -> Result<bool, Violation> {
        let busy: Vec<usize> = self.flights.iter().filter_map(Flight::person).collect();
        let free: Vec<usize> = (0..self.hands.len()).filter(|person| !busy.contains(person)).collect();
        // Whoever can have a certificate comes first, half of the time.
        let granted = |person: &usize| !self.model.granted_to(&self.base.people[*person].id).is_empty();
        let eager: Vec<usize> = free.iter().copied().filter(granted).collect();
        let from = if !eager.is_empty() && self.chance.percent(50) { &eager } else { &free };
        let Some(&person) = self.chance.pick(from) else { return Ok(false) };
        let Some(action) = self.choose(person) else { return Ok(false) };
        let server = self.chance.below(2);
        let Some(running) = self.servers.get(server).and_then(Option::as_ref) else { return Ok(false) };
        let work = perform(running.embedded.clone(), Arc::clone(&self.hands[person]), action.clone());
        self.told(format!("{} -> s{} {}", name(person), server + 1, action.told(str::to_owned)));
        self.launch(What::Act { person, action }, server, work);
        Ok(true)
    }

    fn launch(&mut self, what: What, server: usize, work: impl Future<Output = Outcome> + Send + 'static) {
        let done = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&done);
        let task = tokio::spawn(async move {
            let outcome = work.await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        });
        self.flights.push(Flight { what, server, done, task: task.abort_handle() });
    }

    fn effects(&mut self) {
        let server = self.chance.below(2);
        let Some(running) = self.servers.get(server).and_then(Option::as_ref) else { return };
        let embedded = running.embedded.clone();
        let work = async move {
            let told = match embedded.run_effects().await {
                Ok(count) => format!("{count}"),
                Err(_) => "fault".to_owned(),
            };
            Outcome { told, ..Outcome::default() }
        };
        self.launch(What::Effects, server, work);
    }

    /// What this person does next: mostly what makes sense, and often enough what does not.
    fn choose(&mut self, person: usize) -> Option<Action> {
        match PEOPLE.get(person)?.1 {
            "engineer" => self.choose_as_engineer(person),
            // Their stage is only there in production.
            "security" if self.chance.percent(60) => None,
            _ => self.choose_as_decider(),
        }
    }

    fn choose_as_engineer(&mut self, person: usize) -> Option<Action> {
        let who = &self.base.people[person].id;
        let (granted, own) = (self.model.granted_to(who), self.model.of_person(who));
        let roll = self.chance.below(100);
        if !granted.is_empty() && roll < 60 {
            let request = self.chance.pick(&granted)?.clone();
            return Some(self.credential(request));
        }
        if self.names.len() < 4 && (own.is_empty() || roll < 75) {
            let environment = if self.chance.percent(75) { "staging" } else { "production" };
            let key = self.new_key();
            self.model.submitted.insert(key.clone());
            return Some(Action::Submit { environment, key });
        }
        let request = match self.chance.percent(80) {
            true => self.chance.pick(&own)?.clone(),
            false => self.chance.pick(&self.names)?.clone(),
        };
        match self.chance.below(100) {
            0..30 => Some(self.credential(request)),
            30..50 => Some(Action::End { request }),
            50..70 => Some(Action::Revise { request }),
            70..80 => Some(Action::Cancel { request }),
            _ => Some(Action::Decide { request, decision: "approve", cheating: false }),
        }
    }

    /// A certificate, with a key that was used before or with a new one.
    fn credential(&mut self, request: String) -> Action {
        let known = self.model.asked.keys().filter(|(under, _)| *under == request);
        let known: Vec<String> = known.map(|(_, key)| key.clone()).collect();
        let again = self.chance.pick(&known).cloned();
        let key = again.filter(|_| self.chance.percent(60)).unwrap_or_else(|| self.new_key());
        self.model.asked.entry((request.clone(), key.clone())).or_default();
        Action::Credential { request, key }
    }

    fn new_key(&mut self) -> String {
        self.keys += 1;
        format!("k{}", self.keys)
    }

    fn choose_as_decider(&mut self) -> Option<Action> {
        let pending = self.model.pending();
        // Those who decide are more than those who ask; without this they would mostly be told that nothing waits.
        if pending.is_empty() && self.chance.percent(75) {
            return None;
        }
        let (decision, cheating) = match self.chance.below(100) {
            0..66 => ("approve", false),
            66..72 => ("approve", true),
            72..77 => ("reject", false),
            77..83 => ("withdraw", false),
            83..93 => ("revoke", false),
            _ => {
                let (request, body) = self.chance.pick(&self.overheard).cloned()?;
                return Some(Action::SendAgain { request, body });
            }
        };
        let sensible = decision == "approve" && !pending.is_empty() && self.chance.percent(90);
        let from = if sensible { &pending } else { &self.names };
        let request = self.chance.pick(from)?.clone();
        Some(Action::Decide { request, decision, cheating })
    }

    /// Nobody waits for a step, and somebody is not done.
    async fn stuck(&mut self) -> Result<(), Violation> {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        self.settle().await?;
        match self.flights.first() {
            Some(flight) if self.disk.steps().is_empty() => match &flight.what {
                What::Act { person, action } => {
                    Err(format!("{} waits for ever: {}", name(*person), action.told(str::to_owned)))
                }
                What::Effects => Err("effects wait for ever".to_owned()),
            },
            Some(_) | None => Ok(()),
        }
    }

    /// Everything that is under way comes to its end, without faults.
    async fn calm_down(&mut self) -> Result<(), Violation> {
        loop {
            self.settle().await?;
            if self.flights.is_empty() && self.disk.steps().is_empty() {
                return Ok(());
            }
            if self.disk.steps().is_empty() { self.stuck().await? } else { self.step()? }
        }
    }

    fn deep_check(&mut self) -> Result<(), Violation> {
        let state = self.disk.visible();
        self.model.check_step(&state)?;
        self.model.check_deeply(&state, &self.base.key, &self.folder)
    }

    /// The faults stop; then everything that has a clock ends, and a stranger looks at what there is.
    async fn end(&mut self) -> Result<(), Violation> {
        self.calm = true;
        self.issuer_down.set(false);
        self.told("from here on nothing fails".to_owned());
        self.calm_down().await?;
        self.deep_check()?;
        self.ask_a_stranger().await?;
        for round in 0..40 {
            // Past every clock at first, and then past every wait between two attempts.
            self.advance(if round == 0 { 49 * 3600 } else { 301 });
            self.effects();
            self.effects();
            self.calm_down().await?;
            let now = self.clock.now();
            let (state, due) = (self.disk.visible(), |at| at <= now);
            let waiting = chancery_simulation::EffectStatus::Waiting;
            if !state.effects().values().any(|effect| effect.status == waiting && due(effect.due_at)) {
                break;
            }
        }
        self.deep_check()?;
        let revoked = self.revoked();
        self.model.check_settled(self.clock.now(), |serial| revoked.contains_key(serial))?;
        self.told("everything has ended".to_owned());
        Ok(())
    }

    /// Serials of minted certificates that are on the host's list.
    fn revoked(&self) -> BTreeMap<String, ()> {
        let mut revoked = BTreeMap::new();
        for (_, line) in minted(&self.folder) {
            let certificate = Certificate::parse(&line).unwrap();
            let authority: &AuthorityKey = certificate.authority();
            let list = Krl::load(&self.config.ssh_krl(), authority).unwrap().unwrap();
            if list.revokes(certificate.contents().serial, "") {
                revoked.insert(certificate.contents().serial.to_string(), ());
            }
        }
        revoked
    }

    /// The evidence of one request with a certificate, verified as on a machine without a network.
    async fn ask_a_stranger(&mut self) -> Result<(), Violation> {
        let Some(request) = self.model.requests().into_iter().rev().find(|id| self.model.is_issued(id))
        else {
            return Ok(());
        };
        let Some(embedded) = self.servers[0].as_ref().map(|server| server.embedded.clone()) else {
            return Ok(());
        };
        let erin = self.base.people[0].clone();
        let fred = self.base.people[1].clone();
        let path = format!("/api/v1/requests/{request}/evidence");
        let fetched = tokio::spawn(async move {
            let answer = call(&embedded, &erin, "GET", &path, None, &[]).await;
            if answer.status == 200 { answer } else { call(&embedded, &fred, "GET", &path, None, &[]).await }
        });
        while !fetched.is_finished() {
            self.settle().await?;
            if !self.disk.steps().is_empty() {
                self.step()?;
            }
        }
        let answer = fetched.await.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("the evidence of {request} cannot be had: {}", answer.status));
        }
        let options =
            Options { require_replay: true, certificates: Some(&read_certificate), ..Options::default() };
        let checks = verify_zip(&answer.body, &self.base.trust, &options).checks;
        let failed: Vec<&str> = checks
            .iter()
            .filter(|check| matches!(check.outcome, Checked::Fail(_)))
            .map(|check| check.name)
            .collect();
        if failed.is_empty() {
            Ok(())
        } else {
            Err(format!("a stranger does not believe {request}: {failed:?}"))
        }
    }
}

impl Flight {
    fn outcome(&self) -> Option<Outcome> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn person(&self) -> Option<usize> {
        match self.what {
            What::Act { person, .. } => Some(person),
            What::Effects => None,
        }
    }
}

fn name(person: usize) -> &'static str {
    PEOPLE.get(person).map_or("nobody", |(name, _)| name)
}
