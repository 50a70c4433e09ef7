//! Real hosts on one machine, for the tests, the demo and the benchmark.
//!
//! A program calls [`hosts::reexec::dispatch`] first in its `main`, starts a lab with
//! [`hosts::supervisor::Supervisor::start`], and then works inside of it with a [`hosts::Lab`] and
//! its [`hosts::Host`]s. The lab needs root and Linux. Only [`hosts::programs`], [`bench`] and
//! [`demo`] know `deploy`, as a file to start, and only [`bench::deploy_rs`] knows deploy-rs.

pub mod bench;
pub mod demo;
pub mod hosts;
pub mod systems;
pub mod tables;
