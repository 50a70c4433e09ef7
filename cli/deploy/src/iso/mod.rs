//! Installation media: the disks of this computer, and an image written to one of them. This room
//! knows nothing of flakes and prints nothing.

pub mod copied;
pub mod disk;
pub mod disks;
pub mod flash;
pub mod image;
mod linux;
mod mac;
mod mounts;
#[cfg(test)]
mod on_loop_devices;
pub mod reserved;
pub mod wifi;
mod write;
