//! Files: restored backups, tampering, faults of the disk, crashes.

mod crash;
mod faults;
mod opening;
mod restoring;

mod tampering;
