//! The folder of a machine that a fleet gets: where it belongs, its modules, and writing it whole. It
//! knows nothing of logins.

pub mod adopted;
pub mod answers;
pub mod fleet_call;
pub mod folder;
pub mod modules;
pub mod services;
pub mod vm;
