//! Installing a machine: what its configuration wants of a computer, what the computer says of itself,
//! what follows from both, and the command lines of nixos-anywhere. This room knows nothing of flakes
//! and prints nothing.

pub mod anywhere;
pub mod blocks;
pub mod facts;
pub mod files;
pub mod fit;
pub mod host_key;
pub mod lock;
pub mod target;
pub mod wish;
