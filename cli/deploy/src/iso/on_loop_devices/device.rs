//! A loop device that the tests write to.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use crate::{
    iso::{
        disk::{self, FoundDisk},
        disks::Disks,
        flash::Flash,
        image::BootImage,
        linux::LinuxDisks,
    },
    tools::process::Invocation,
};

/// A loop device, the file behind it, and a tree of sysfs that describes it as a stick.
pub struct LoopDisk {
    /// A folder that goes away with it.
    pub top: tempfile::TempDir,
    /// The device.
    pub node: PathBuf,
    /// The tree.
    pub disks: Disks,
}

/// Runs a program to its end, also where a runtime runs already.
pub fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let done = thread::scope(|scope| {
        let runs = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(Invocation::new(program).args(args.iter().copied()).output())
        };
        scope.spawn(runs).join().unwrap()
    });
    match done {
        Ok(output) => Ok(String::from_utf8_lossy(&output).trim().to_owned()),
        Err(error) => Err(format!("{error}: {}", error.stderr().trim())),
    }
}

impl LoopDisk {
    /// A device of this size; `None`, with a line, where there can be none.
    pub fn new(bytes: u64) -> Option<Self> {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("disk");
        fs::write(&file, vec![0xee; usize::try_from(bytes).unwrap()]).unwrap();
        let node = match run("losetup", &["-f", "--show", &file.to_string_lossy()]) {
            Ok(node) => PathBuf::from(node),
            Err(why) => {
                println!("skipped: no loop device can be set up here: {why}");
                return None;
            }
        };
        let name = node.file_name().unwrap().to_string_lossy().into_owned();
        let folder = top.path().join("sys/block").join(&name);
        fs::create_dir_all(folder.join("device")).unwrap();
        let real = Path::new("/sys/block").join(&name);
        let number = fs::read_to_string(real.join("dev")).unwrap();
        let put = |file: &str, text: &str| fs::write(folder.join(file), text).unwrap();
        put("removable", "1\n");
        put("size", &format!("{}\n", bytes / 512));
        put("dev", &number);
        put("device/model", "Loop\n");
        let disks = Disks::Linux(LinuxDisks {
            sys: top.path().join("sys"),
            udev: top.path().join("udev"),
            ..LinuxDisks::default()
        });
        Some(Self { top, node, disks })
    }

    /// The device, as it is found in the tree.
    pub async fn found(&self) -> FoundDisk {
        disk::named(&self.disks.look().await.unwrap(), &self.node).unwrap().clone()
    }

    /// The file behind it.
    pub fn file(&self) -> PathBuf {
        self.top.path().join("disk")
    }

    /// The device and an image for it.
    pub fn flash(&self, disk: FoundDisk, image: &Path) -> Flash {
        Flash { disks: self.disks.clone(), disk, image: BootImage::open(image).unwrap() }
    }

    /// What the device has, without the kernel's memory of it.
    pub fn contents(&self) -> Vec<u8> {
        run("blockdev", &["--flushbufs", &self.node.to_string_lossy()]).unwrap();
        fs::read(self.file()).unwrap()
    }

    /// An image of this size that a computer would try to start from.
    pub fn image(&self, bytes: u64) -> PathBuf {
        let mut image: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        image[510..512].copy_from_slice(&[0x55, 0xaa]);
        let file = self.top.path().join("image.iso");
        fs::write(&file, image).unwrap();
        file
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = run("umount", &[&self.top.path().join("mounted").to_string_lossy()]);
        let _ = run("losetup", &["-d", &self.node.to_string_lossy()]);
    }
}
