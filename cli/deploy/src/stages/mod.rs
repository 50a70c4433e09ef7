//! The stages in the order of a deploy. Each takes the value of the one before, and none calls
//! another.

pub mod activate;
pub mod ask;
pub mod build;
pub mod conclude;
pub mod confirm;
pub mod flake;
pub mod fleet;
#[cfg(test)]
mod mutated;
pub mod plan;
pub mod push;
pub mod store;
