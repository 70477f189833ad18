//! An installation under examination: who watches it, and what is checked when everything has come to rest.

use std::time::{Duration, Instant};
use std::{fs, thread};

use jiff::Timestamp;

use crate::auditor::Auditor;
use crate::installation::Installation;
use crate::process::Launch;
use crate::promises::Promises;
use crate::rules::Examined;
use crate::site::Site;
use crate::{examine, rules};

/// Evidence that is verified in one examination.
const EVIDENCE: usize = 12;
/// How long timers may take in the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// One installation, and what is known of it.
pub struct Scene {
    pub installation: Installation,
    pub promises: Promises,
    pub auditor: Auditor,
}

impl Scene {
    /// A fresh copy, of which nobody was promised anything.
    pub fn new() -> Self {
        let installation = Installation::copy();
        let promises = Promises::of_log(installation.log_key());
        Self { installation, promises, auditor: Auditor::new() }
    }

    /// Examines everything beside a server that runs: waits until every timer has fired that is due.
    pub fn examine(&mut self, site: &Site) -> Examined {
        self.examine_at(site, 0)
    }

    /// The same where the server's clock is so many seconds ahead.
    pub fn examine_at(&mut self, site: &Site, ahead: i64) -> Examined {
        let begun = Instant::now();
        let mut examined = loop {
            self.auditor.follow(site, &mut self.promises).unwrap();
            let examined = rules::examine(&self.auditor.leaves, Timestamp::now().as_second() + ahead);
            if examined.late.is_empty() || begun.elapsed() > PATIENCE {
                break examined;
            }
            thread::sleep(Duration::from_millis(300));
        };
        let promises = &mut self.promises;
        promises.violations.append(&mut examined.violations);
        promises.violations.append(&mut examined.late);
        rules::certificates(&self.auditor.leaves, promises);
        examine::revocations(&self.installation, promises, &examined.revoked);
        examine::evidence(site, &self.installation, &mut self.auditor, promises, EVIDENCE).unwrap();
        promises.violations.extend(examine::doctor(&self.installation.data()));
        examine::effects(site, promises);
        examined
    }

    /// Starts a server that nothing disturbs, runs `work`, examines everything, and ends the server.
    pub fn examine_calmly(&mut self, work: impl FnOnce(&mut Self, &Site)) -> Examined {
        match Launch::default().start(&self.installation.data()) {
            Ok((server, site)) => {
                work(self, &site);
                let examined = self.examine(&site);
                server.kill();
                examined
            }
            Err(refused) => {
                self.promises.violated(format!("the server does not serve again: {}", refused.words()));
                Examined::default()
            }
        }
    }

    /// What is not as it should be; asserts nothing.
    pub fn violations(&self) -> &[String] {
        &self.promises.violations
    }

    /// Puts another state of the data folder in the place of this one.
    pub fn replace_data(&self, with: &crate::installation::Snapshot) {
        fs::remove_dir_all(self.installation.data()).unwrap();
        with.write(&self.installation.data());
    }
}
