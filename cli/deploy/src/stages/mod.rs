//! The stages in the order in which a deploy goes through them. Each eats the
//! value that the one before it produced; none calls another.

pub mod activate;
pub mod agent_program;
pub mod ask;
pub mod build;
pub mod builder;
pub mod changes;
pub mod conclude;
pub mod confirm;
pub mod dry;
pub mod flake;
pub mod fleet;
pub mod generations;
pub mod image;
pub mod interrupted;
pub mod left_behind;
pub mod look;
pub mod mark;
pub mod no_way_back;
pub mod overrides;
pub mod plan;
pub mod profile;
pub mod push;
pub mod secrets;
pub mod sessions;
pub mod stall;
pub mod watch;
