//! What has come of a large path, kept in case its push is cut off. Nix imports a path as a whole, so
//! without this the bytes of a path would all have to come again. The next push takes what is kept as
//! a base: whatever it holds, a copy of it is compared by its hash, and the path by its own.

mod carry;
mod keeper;

pub use self::{
    carry::paths,
    keeper::{Keeper, Partial},
};
