//! What the agent keeps on the disk and in /run: places, files, locks, and the events of an
//! attempt. Nothing here knows what they mean.

pub mod changes;
pub mod events;
pub mod files;
pub mod lock;
pub mod paths;
