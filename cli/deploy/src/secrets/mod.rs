//! agenix's files: who may read which, what they are encrypted to, and their text. Knows nothing
//! of machines.

pub mod answers;
pub mod clear;
pub mod compared;
pub mod encrypted;
pub mod generated;
pub mod head;
pub mod identities;
pub mod keys;
pub mod lock;
pub mod names;
pub mod owners;
pub mod recipient;
pub mod rules;
pub mod together;
pub mod written;
