//! The results of tests, and the pages in docs/ that are generated from them: the fault tables and
//! the worlds. Nothing here runs a host. Scenarios run the tests and store the results.

mod document;
pub mod fault_table;
mod kept;
pub mod worlds;

pub use self::document::Document;
