//! Real hosts on one machine: what the tests, the demo and the benchmark run on.
//!
//! A program calls [`reexec::dispatch`] first in its `main`, starts a lab with
//! [`supervisor::Supervisor::start`], and inside it works with a [`lab::Lab`] and its
//! [`host::Host`]s. Root and Linux only; only
//! [`programs`], [`bench`] and [`demo`] know `deploy`, as a file to start, and [`deploy_rs`] the
//! other one.

pub mod access;
pub mod base;
pub mod bench;
pub mod cache;
pub mod cgroup;
pub mod demo;
pub mod deploy_rs;
pub mod disk;
pub mod fault_table;
pub mod host;
mod inotify;
pub mod lab;
pub mod network;
pub mod nix;
pub mod prepared;
mod process;
pub mod programs;
pub mod reexec;
pub mod relay;
pub mod supervisor;
pub mod systems;
pub mod wait;
pub mod wall_clock;
pub mod worlds;
