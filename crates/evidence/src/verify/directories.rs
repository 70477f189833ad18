//! Who existed at each position of the log.

use chancery_domain::people::Directory;

/// The directory after identity events that were found to be authorised: after the last one before each event of
/// another stream.
pub(crate) struct Directories {
    nobody: Directory,
    after: Vec<(u64, Directory)>,
}

impl Directories {
    /// From (leaf index, directory after it), ascending.
    pub fn new(after: Vec<(u64, Directory)>) -> Self {
        Self { nobody: Directory::default(), after }
    }

    /// Who existed just before the leaf at this index, which is one of another stream than an identity's.
    pub fn before(&self, index: u64) -> &Directory {
        let earlier = self.after.partition_point(|(at, _)| *at < index);
        let last = earlier.checked_sub(1).and_then(|last| self.after.get(last));
        last.map_or(&self.nobody, |(_, directory)| directory)
    }
}
