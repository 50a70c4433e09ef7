//! Public keys in texts of Nix's: where they stand, and the text with one more, one less or another
//! one. All else in the text stays as it is, comments and order too.

mod changed;
mod found;

pub use changed::{added, replaced, without};
pub use found::{KeyBinding, KeyPlace, KeySet, bindings, sets};
