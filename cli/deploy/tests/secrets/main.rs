//! `deploy secrets` with real keys and real files, beside `age`, `rage` and `ssh-keygen`.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod completed;
mod edited;
mod evaluated;
mod fleet;
mod generated;
mod host_keys;
mod interrupted;
mod looked;
mod memory;
mod others;
mod passphrases;
mod plugins;
mod rekeyed;
mod renamed;
mod rotated;
mod used;
