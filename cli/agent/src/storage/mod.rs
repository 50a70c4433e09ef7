//! What the agent keeps on the disk and in /run: paths, files, locks, and the events of an attempt.
//! Nothing here knows the meaning of the contents.

pub mod changes;
pub mod events;
pub mod files;
pub mod lock;
pub mod paths;
