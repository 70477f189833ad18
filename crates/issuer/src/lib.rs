//! Mints and takes back credentials. One module for each kind; the only holder of keys that sign them.

pub mod ssh;
