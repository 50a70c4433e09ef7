//! Images on loop devices, which the kernel treats like disks. They need root and `losetup`.

mod device;

use std::{
    fs,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use self::device::{LoopDisk, run};
use super::{
    disk,
    flash::{FlashStep, NotFlashed},
    image::BootImage,
    write::{HEAD, NotWritten, OpenDisk, parts},
};

const MIB: u64 = 1 << 20;

fn never() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

fn text(not: NotFlashed) -> String {
    match not {
        NotFlashed::Interrupted(failure) => format!("interrupted {failure}"),
        NotFlashed::Failed(failure) => failure.to_string(),
    }
}

/// Whether the first MiB is empty, so that no firmware starts from it.
fn has_no_head(contents: &[u8]) -> bool {
    contents[..usize::try_from(HEAD).unwrap()].iter().all(|byte| *byte == 0)
}

#[tokio::test]
async fn an_image_is_written_whole_and_read_back() {
    // The image ends within a block, and within a piece.
    let Some(stick) = LoopDisk::new(16 * MIB) else { return };
    let image = stick.image(9 * MIB + 2048);
    let flash = stick.flash(stick.found().await, &image);
    flash.refuse_unless_usable().unwrap();
    let mut steps = Vec::new();
    flash.run(never(), |step, bytes| steps.push((step, bytes))).await.map_err(text).unwrap();
    let (wanted, found) = (fs::read(&image).unwrap(), stick.contents());
    assert!(found[..wanted.len()] == wanted[..]);
    // What partition tools would find at the end of the old contents is gone.
    assert!(found[15 << 20..].iter().all(|byte| *byte == 0));
    let all = 9 * MIB + 2048;
    let last = |step| steps.iter().rfind(|(one, _)| *one == step).map(|(_, bytes)| *bytes);
    assert_eq!([last(FlashStep::Write), last(FlashStep::Compare)], [Some(all), Some(all)]);
}

#[tokio::test]
async fn an_image_that_fills_the_disk_to_its_last_sector_is_written() {
    let Some(stick) = LoopDisk::new(5 * MIB + 512) else { return };
    let image = stick.image(5 * MIB + 512);
    let flash = stick.flash(stick.found().await, &image);
    flash.refuse_unless_usable().unwrap();
    flash.run(never(), |_, _| {}).await.map_err(text).unwrap();
    assert!(stick.contents() == fs::read(&image).unwrap());
}

#[tokio::test]
async fn a_disk_that_is_too_small_is_refused_and_untouched() {
    let Some(stick) = LoopDisk::new(4 * MIB) else { return };
    let image = stick.image(4 * MIB + 1);
    let refused = stick.flash(stick.found().await, &image).refuse_unless_usable().unwrap_err();
    assert!(refused.to_string().contains("1 MiB too few"), "{refused}");
    assert!(stick.contents().iter().all(|byte| *byte == 0xee));
}

/// Makes a file system on the device and mounts it; `None`, with a line, where that cannot be.
fn mounted(stick: &LoopDisk) -> Option<PathBuf> {
    let folder = stick.top.path().join("mounted");
    fs::create_dir(&folder).unwrap();
    let node = stick.node.to_string_lossy().into_owned();
    let made = run("mkfs.ext4", &["-q", "-F", &node])
        .and_then(|_| run("mount", &[&node, &folder.to_string_lossy()]));
    match made {
        Ok(_) => Some(folder),
        Err(why) => {
            println!("skipped: nothing can be mounted here: {why}");
            None
        }
    }
}

#[tokio::test]
async fn a_mounted_disk_is_unmounted_and_written() {
    let Some(stick) = LoopDisk::new(16 * MIB) else { return };
    let Some(folder) = mounted(&stick) else { return };
    let image = stick.image(3 * MIB);
    let disk = stick.found().await;
    assert_eq!(disk.volumes[0].mounted, [folder]);
    stick.flash(disk, &image).run(never(), |_, _| {}).await.map_err(text).unwrap();
    assert!(stick.found().await.volumes.is_empty());
    assert!(stick.contents()[..3 << 20] == fs::read(&image).unwrap()[..]);
}

#[tokio::test]
async fn a_disk_that_is_in_use_is_not_unmounted_and_not_written() {
    let Some(stick) = LoopDisk::new(16 * MIB) else { return };
    let Some(folder) = mounted(&stick) else { return };
    let open = fs::File::create(folder.join("open")).unwrap();
    let image = stick.image(3 * MIB);
    let flash = stick.flash(stick.found().await, &image);
    let refused = text(flash.run(never(), |_, _| {}).await.unwrap_err());
    assert!(refused.contains("is mounted and cannot be unmounted"), "{refused}");
    assert!(refused.contains("busy") && refused.contains("nothing was written"), "{refused}");
    drop(open);
    assert!(folder.join("open").exists());
}

#[tokio::test]
async fn a_disk_that_is_mounted_after_all_is_not_opened() {
    let Some(stick) = LoopDisk::new(16 * MIB) else { return };
    let disk = stick.found().await;
    let Some(_folder) = mounted(&stick) else { return };
    let refused = OpenDisk::open(&disk).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ResourceBusy);
}

#[tokio::test]
async fn a_partition_is_refused() {
    let Some(stick) = LoopDisk::new(4 * MIB) else { return };
    let name = stick.node.file_name().unwrap().to_string_lossy().into_owned();
    let part = stick.top.path().join(format!("sys/block/{name}/{name}p1"));
    fs::create_dir(&part).unwrap();
    fs::write(part.join("partition"), "1\n").unwrap();
    let node = PathBuf::from(format!("{}p1", stick.node.display()));
    let disks = stick.disks.look().await.unwrap();
    let refused = disk::named(&disks, &node).unwrap_err().to_string();
    assert!(refused.contains("it is a partition of /dev/loop"), "{refused}");
}

#[tokio::test]
async fn a_disk_without_the_whole_image_has_no_boot_sector() {
    let Some(stick) = LoopDisk::new(16 * MIB) else { return };
    let image = stick.image(13 * MIB);
    for at in [FlashStep::Write, FlashStep::Compare] {
        let stop = never();
        let flash = stick.flash(stick.found().await, &image);
        let set = stop.clone();
        let stopped = flash.run(stop, move |step, bytes| {
            let ends = step == at && bytes < 12 * MIB;
            set.fetch_or(ends, std::sync::atomic::Ordering::Relaxed);
        });
        let told = text(stopped.await.unwrap_err());
        assert!(told.starts_with("interrupted error: interrupted before"), "{told}");
        assert!(told.contains("is not usable"), "{told}");
        assert!(has_no_head(&stick.contents()), "{at:?}");
    }
}

#[tokio::test]
async fn what_the_disk_did_not_keep_is_found() {
    let Some(stick) = LoopDisk::new(8 * MIB) else { return };
    let disk = stick.found().await;
    let image = BootImage::open(&stick.image(6 * MIB)).unwrap();
    let open = OpenDisk::open(&disk).unwrap();
    let [body, _] = parts(image.bytes);
    open.write(&image.file, body, &mut |_| true).unwrap();
    // The file behind the device is what a bad cell is in a stick.
    let file = fs::OpenOptions::new().write(true).open(stick.file()).unwrap();
    file.write_all_at(&[0xff], 5 * MIB).unwrap();
    stick.disks.forget_what_was_written(&disk).await.unwrap();
    match open.compare(&image.file, body, &mut |_| true) {
        Err(NotWritten::Failed(why)) => {
            assert_eq!(why, "it has not kept byte 5242880 of the image")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_disk_that_vanishes_is_told_and_nothing_starts_from_it() {
    let Some(stick) = LoopDisk::new(16 * MIB) else { return };
    let image = stick.image(13 * MIB);
    let disk = stick.found().await;
    let name = disk.name.clone();
    let (file, node) = (stick.file(), stick.node.clone());
    let tree = stick.top.path().join("sys/block").join(&name);
    let gone = stick.flash(disk, &image).run(never(), move |_, _| {
        // The kernel refuses what is beyond the end of a device whose medium is gone.
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(4 * MIB).unwrap();
        run("losetup", &["-c", &node.to_string_lossy()]).unwrap();
        let _ = fs::remove_dir_all(&tree);
    });
    let told = text(gone.await.unwrap_err());
    assert!(told.contains("does not have the image"), "{told}");
    assert!(told.contains("it is gone: was it pulled out?"), "{told}");
    assert!(told.contains("is not usable"), "{told}");
    assert!(has_no_head(&stick.contents()));
}

#[tokio::test]
async fn another_disk_in_its_place_is_not_written() {
    let Some(stick) = LoopDisk::new(4 * MIB) else { return };
    let image = stick.image(2 * MIB);
    let mut shown = stick.found().await;
    shown.model = "another".into();
    let refused = text(stick.flash(shown, &image).run(never(), |_, _| {}).await.unwrap_err());
    assert!(refused.contains("is not the disk any more that was shown"), "{refused}");
    assert!(stick.contents().iter().all(|byte| *byte == 0xee));
}
