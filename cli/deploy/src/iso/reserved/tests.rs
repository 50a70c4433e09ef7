use std::{fs, path::Path, sync::atomic::AtomicBool};

use super::*;
use crate::{
    iso::{copied, image::BootImage},
    tools::process::{self, Invocation},
};

const ROOM: usize = 4096;

async fn xorriso(args: &[&str]) -> String {
    let done = Invocation::new("xorriso").args(args.iter().copied()).output().await;
    String::from_utf8_lossy(&done.unwrap()).into_owned()
}

/// A hybrid image as NixOS's is one: El Torito for BIOS and UEFI, an MBR and a GPT. `None`, with a
/// line, without xorriso.
async fn image(top: &Path, reserved: Option<&[u8]>) -> Option<BootImage> {
    if process::find("xorriso", &[]).is_none() {
        println!("skipped: there is no xorriso on PATH, which makes the image");
        return None;
    }
    let root = top.join("root");
    fs::create_dir_all(root.join("boot")).unwrap();
    fs::create_dir_all(root.join("deploy")).unwrap();
    let mut bios = vec![0x90; 32768];
    // isolinux has these at this place, and xorriso looks for them.
    bios[64..68].copy_from_slice(b"\xfb\xc0\x78\x70");
    fs::write(root.join("boot/bios.img"), bios).unwrap();
    fs::write(root.join("boot/efi.img"), vec![3; 1_474_560]).unwrap();
    fs::write(top.join("mbr"), vec![0x90; 432]).unwrap();
    if let Some(begin) = reserved {
        let mut bytes = begin.to_vec();
        bytes.resize(ROOM, b'#');
        fs::write(root.join("deploy/wifi"), bytes).unwrap();
    }
    let (mbr, out) = (top.join("mbr"), top.join("built.iso"));
    let [mbr, out, root] = [&mbr, &out, &root].map(|path| path.to_string_lossy().into_owned());
    let bios = "-c .boot.cat -b boot/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table";
    let efi = "-eltorito-alt-boot -e boot/efi.img -no-emul-boot -isohybrid-gpt-basdat";
    let mut args = vec!["-as", "mkisofs", "-quiet", "-V", "NIXOS", "-r", "-J"];
    args.extend(bios.split(' ').chain(["-isohybrid-mbr", &mbr]).chain(efi.split(' ')));
    args.extend(["-o", &out, &root]);
    xorriso(&args).await;
    Some(BootImage::open(Path::new(&out)).unwrap())
}

/// The boot records and partitions, as xorriso reads them.
async fn boot_parts(image: &Path) -> String {
    let image = image.to_string_lossy();
    let report = ["-report_el_torito", "plain", "-report_system_area", "plain"];
    xorriso(&[&["-indev", image.as_ref()], &report[..]].concat()).await
}

#[tokio::test]
async fn wifi_changes_the_reserved_file_and_nothing_else() {
    let top = tempfile::tempdir().unwrap();
    let Some(image) = image(top.path(), Some(UNUSED)).await else { return };
    let text = b"[connection]\nid=installer\n";
    let filled = Filled::new(&image.file, text).unwrap();
    let at = usize::try_from(filled.at).unwrap();
    let out = top.path().join("installer.iso");
    let never = AtomicBool::new(false);
    copied::copy(&image, &out, Some(&filled), &never).unwrap().unwrap();
    let [before, after] = [&image.path, &out].map(|file| fs::read(file).unwrap());
    assert_eq!(before.len(), after.len());
    assert!(before[..at] == after[..at] && before[at + ROOM..] == after[at + ROOM..]);
    // Others read the file too, and the boot records.
    let read = top.path().join("wifi");
    let [from, to] = [&out, &read].map(|path| path.to_string_lossy().into_owned());
    xorriso(&["-osirrox", "on", "-indev", &from, "-extract", "/deploy/wifi", &to]).await;
    let read = fs::read(read).unwrap();
    assert!(read.starts_with(text) && read[text.len()..].iter().all(|byte| *byte == b'\n'));
    let boots = boot_parts(&out).await;
    assert_eq!(boot_parts(&image.path).await, boots);
    assert!(boots.contains("El Torito boot img :   2  UEFI") && boots.contains("GPT"), "{boots}");
    // Only its owner can read an image with a secret.
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&out).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn an_image_without_room_is_told_and_not_changed() {
    for (reserved, why) in [
        (None, "it has no file deploy/wifi"),
        (Some(&b"[connection]\n"[..]), "its file deploy/wifi is not reserved for this"),
    ] {
        let top = tempfile::tempdir().unwrap();
        let Some(image) = image(top.path(), reserved).await else { return };
        assert_eq!(Filled::new(&image.file, b"x").unwrap_err(), why);
    }
    let top = tempfile::tempdir().unwrap();
    let Some(image) = image(top.path(), Some(UNUSED)).await else { return };
    let large = Filled::new(&image.file, &[b'x'; ROOM + 1]).unwrap_err();
    assert_eq!(large, "its file deploy/wifi has 4096 bytes, and 4097 are needed");
}

#[test]
fn what_is_no_image_of_a_disc_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zeros");
    fs::write(&file, vec![0; 40960]).unwrap();
    let refused = Filled::new(&File::open(&file).unwrap(), b"x").unwrap_err();
    assert_eq!(refused, "it is no ISO 9660 image");
}

#[test]
fn a_text_that_goes_over_pieces_is_filled_in_whole() {
    let filled = Filled { at: 6, bytes: Zeroizing::new(b"abcdef".to_vec()) };
    let mut all = vec![b'.'; 16];
    for (index, piece) in all.chunks_mut(4).enumerate() {
        filled.fill(piece, index as u64 * 4);
    }
    assert_eq!(all, b"......abcdef....");
}
