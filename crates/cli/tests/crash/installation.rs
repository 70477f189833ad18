//! A sealed installation with its people. It is made once, by the program itself, and every test gets a copy.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chancery_evidence::trust::TrustDirectory;
use chancery_ledger::VerifierKey;
use tempfile::TempDir;

use crate::person::Person;
use crate::process::{Launch, run};
use crate::site::ORIGIN;

/// How many people ask, each with somebody of their own who decides.
pub const PAIRS: usize = 3;

/// Somebody who asks, and somebody who decides.
#[derive(Clone)]
pub struct Pair {
    pub requester: Person,
    pub approver: Person,
}

/// The files of a folder, with their modes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>);

/// A folder to break.
pub struct Installation {
    folder: TempDir,
    pub pairs: Vec<Pair>,
}

impl Installation {
    /// A copy of the one that was made.
    pub fn copy() -> Self {
        static MADE: OnceLock<(Snapshot, Vec<Pair>)> = OnceLock::new();
        let (files, pairs) = MADE.get_or_init(make);
        let folder = TempDir::new().unwrap();
        files.write(&folder.path().join("data"));
        Self { folder, pairs: pairs.clone() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The key that the log's checkpoints must be signed by, as a stranger knows it.
    pub fn log_key(&self) -> VerifierKey {
        let text = fs::read_to_string(self.data().join("trust/log.vkey")).unwrap();
        text.trim().parse().unwrap()
    }

    /// The trust root, as a stranger brings it along.
    pub fn trust(&self) -> TrustDirectory {
        let files = Snapshot::of(&self.data().join("trust")).0.into_iter();
        let files = files.filter_map(|(path, (_, bytes))| Some((path.to_str().unwrap().to_owned(), bytes?)));
        TrustDirectory::read(&files.collect()).unwrap()
    }
}

impl Snapshot {
    /// What is in a folder now.
    pub fn of(folder: &Path) -> Self {
        let mut files = Self::default();
        files.add(folder, Path::new(""));
        files
    }

    fn add(&mut self, root: &Path, below: &Path) {
        let path = root.join(below);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        if path.is_dir() {
            self.0.insert(below.to_owned(), (mode, None));
            for entry in fs::read_dir(&path).unwrap() {
                self.add(root, &below.join(entry.unwrap().file_name()));
            }
        } else {
            self.0.insert(below.to_owned(), (mode, Some(fs::read(&path).unwrap())));
        }
    }

    /// Each file or folder, folders before what is in them: mode, and bytes where it is a file.
    pub fn entries(&self) -> impl Iterator<Item = (&PathBuf, &(u32, Option<Vec<u8>>))> {
        self.0.iter()
    }

    /// The other way round.
    pub fn from_entries(entries: BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>) -> Self {
        Self(entries)
    }

    /// Makes a folder that holds exactly this.
    pub fn write(&self, folder: &Path) {
        // Folders come before what is in them.
        for (path, (mode, bytes)) in &self.0 {
            let path = folder.join(path);
            match bytes {
                None => fs::create_dir_all(&path).unwrap(),
                Some(bytes) => fs::write(&path, bytes).unwrap(),
            }
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
    }
}

/// Makes an installation, enrols everybody, seals it.
fn make() -> (Snapshot, Vec<Pair>) {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let place = data.to_str().unwrap();
    let options = ["--public-url", ORIGIN, "--listen", "127.0.0.1:0", "--log-origin", "log.example"];
    must_run(&[&["init", "--data", place][..], &options].concat());
    let config = fs::read_to_string(data.join("chancery.toml")).unwrap();
    let roomy = config
        .replace("pending_requests_per_person = 20", "pending_requests_per_person = 200")
        .replace("open_requests_per_minute = 120", "open_requests_per_minute = 10000");
    assert_ne!(config, roomy);
    fs::write(data.join("chancery.toml"), roomy).unwrap();
    let (server, site) = Launch::default().start(&data).unwrap();
    let link = fs::read_to_string(data.join("enrolment-link")).unwrap();
    let token = link.trim().split_once('#').unwrap().1;
    let mut ada = Person::enrol(&site, token, "Ada").unwrap();
    ada.sign_in(&site).unwrap();
    let mut ben = Person::enrol(&site, &ada.invite(&site, &[]).unwrap(), "Ben").unwrap();
    ben.sign_in(&site).unwrap();
    must_run(&["trust", "seal", "--data", place]);
    assert_eq!(site.open("GET", "/readyz", None).unwrap().status, 200);
    let mut pairs = Vec::new();
    for number in 1..=PAIRS {
        let mut admit = |name: &str, roles: &[&str]| {
            Person::admit(&site, &format!("{name} {number}"), roles, &mut [&mut ada, &mut ben]).unwrap()
        };
        let requester = admit("Erin", &["engineer"]);
        let approver = admit("Olga", &["service_owner"]);
        pairs.push(Pair { requester, approver });
    }
    let ended = server.terminate();
    assert!(ended.status.success(), "{ended:?}");
    (Snapshot::of(&data), pairs)
}

fn must_run(arguments: &[&str]) {
    let ran = run(arguments);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
