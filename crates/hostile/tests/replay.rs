//! Every file of the committed corpora goes through its target, on a stack no larger than that of the server's threads.
//! Controls: a planted bug is found, a stack that overflows would end the test.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chancery_hostile::{PLANTED, TARGETS, Target};

/// That of the server's threads, in bytes.
const STACK: usize = 2 * 1024 * 1024;
/// Fewer would hardly be a corpus.
const FEWEST_FILES: usize = 4;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// How many inputs there are and how many of them were taken; the name of the first that fails.
fn replay(target: Target, inputs: Vec<(String, Vec<u8>)>) -> Result<(usize, usize), String> {
    let (mut taken, all) = (0, inputs.len());
    for (name, input) in inputs {
        let run = std::thread::Builder::new().stack_size(STACK).name(format!("{}/{name}", target.name));
        match run.spawn(move || (target.run)(&input)).unwrap().join() {
            Ok(is_taken) => taken += usize::from(is_taken),
            Err(_) => return Err(name),
        }
    }
    Ok((all, taken))
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    names(folder).into_iter().map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap())).collect()
}

#[test]
fn every_file_of_every_corpus() {
    for target in TARGETS {
        let (all, taken) = replay(*target, files(&corpora().join(target.name)))
            .unwrap_or_else(|name| panic!("fuzz/corpus/{}/{name} fails", target.name));
        println!("{:20} {all:5} files, {taken:5} taken", target.name);
        assert!(all >= FEWEST_FILES, "the corpus of `{}` has {all} files", target.name);
        assert!(taken > 0, "nothing of the corpus of `{}` gets past its reader", target.name);
        assert!(taken < all, "nothing of the corpus of `{}` is refused", target.name);
    }
}

#[test]
fn every_corpus_has_its_target() {
    let known: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(known.len(), TARGETS.len(), "two targets of one name");
    assert_eq!(names(&corpora()), known);
}

#[test]
fn control_a_planted_bug_is_found() {
    let inputs =
        |texts: &[&str]| texts.iter().map(|text| ((*text).to_owned(), text.as_bytes().to_vec())).collect();
    assert_eq!(replay(PLANTED, inputs(&["", "sea", "lease"])), Ok((3, 3)));
    assert_eq!(replay(PLANTED, inputs(&["sea", "sealed", "lease"])), Err("sealed".to_owned()));
}
