//! `deploy secrets` with real keys and real files, beside `age`, `rage` and `ssh-keygen`.

mod edited;
mod evaluated;
mod fleet;
mod generated;
mod looked;
mod others;
mod plugins;
mod rekeyed;
mod renamed;
