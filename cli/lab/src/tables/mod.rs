//! What was seen of `deploy`, and the pages in docs/ that are made of it: the fault tables and the
//! worlds. Nothing here runs a host or tries anything; scenarios do, and keep what they saw.

mod document;
pub mod fault_table;
mod kept;
pub mod worlds;

pub use self::document::Document;
