//! The stages in the order in which a deploy goes through them. Each eats the
//! value that the one before it produced; none calls another.

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
