//! Real hosts on one machine: what the tests, the demo and the benchmark run on.
//!
//! A program calls [`hosts::reexec::dispatch`] first in its `main`, starts a lab with
//! [`hosts::supervisor::Supervisor::start`], and inside it works with a [`hosts::Lab`] and its
//! [`hosts::Host`]s. Root and Linux only; only [`hosts::programs`], [`bench`] and [`demo`] know
//! `deploy`, as a file to start, and [`bench::deploy_rs`] the other one.

pub mod bench;
pub mod demo;
pub mod hosts;
pub mod systems;
pub mod tables;
