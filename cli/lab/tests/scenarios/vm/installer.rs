//! `deploy iso`: an image that starts, with the Wi-Fi that was put onto it as the last step.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{DiskSize, HostSpec, Lab, Places, access, programs};
use deploy_lab::systems::{FOLDER, Fleet, Generation};

use super::SLOW;
use crate::scene::{Said, line};

/// What makes the image.
const IMAGE: [(&str, &str); 3] = [
    ("default.nix", include_str!("../../../systems/iso/default.nix")),
    ("package.sh", include_str!("../../../systems/iso/package.sh")),
    ("init", include_str!("../../../systems/iso/init")),
];

/// The password of the network, which no other file may have.
const PASSWORD: &str = "correct-horse-battery";

/// Starts the image as a stick, and as a disc: then the kernel finds the medium on the stick beside it.
const STICK: &str = "-drive if=virtio,format=raw,readonly=on,file=installer-iso.iso";
const DISC: &str = "-cdrom installer-iso.iso -boot d \
                    -drive if=virtio,format=raw,readonly=on,file=installer-iso.iso";

pub fn starts(lab: &mut Lab) -> Result<()> {
    starts_as(STICK, lab)
}

pub fn starts_as_a_disc(lab: &mut Lab) -> Result<()> {
    starts_as(DISC, lab)
}

/// The image is built in the store, the secret decrypted here; what starts from the image reads the
/// network, and no file of the store has it.
fn starts_as(how: &str, lab: &mut Lab) -> Result<()> {
    let size = DiskSize { disk_mib: 2048, boot_mib: 32 };
    let mac = lab.new_host(HostSpec::named("mac")?.with_programs_in(Places::Vm).sized(size))?;
    mac.boot()?;
    mac.wait_until_up()?;
    programs::install(&mac)?;
    let key = access::operator_key(&mac)?;
    Fleet::of("frame1", Generation::new("frame1", 1)).write(&mac)?;
    for (path, text) in IMAGE {
        mac.write(&format!("{FOLDER}/iso/{path}"), text, 0o644)?;
    }
    let rules = format!("{{ \"installer-wifi.age\".publicKeys = [ \"{}\" ]; }}\n", key.trim());
    mac.write(&format!("{FOLDER}/secrets.nix"), &rules, 0o644)?;
    mac.sh(&format!(
        "cd {FOLDER} && sed -i 's|nixosConfigurations = mapAttrs|nixosConfigurations = {{ \
         installer-iso.config = {{ system.build = {{ isoImage = import ./iso; toplevel = import ./iso; }}; \
         image.filePath = \
         \"iso/installer-iso.iso\"; nixpkgs.hostPlatform.system = \"x86_64-linux\"; }}; }} // \
         mapAttrs|' flake.nix && grep -q 'import ./iso' flake.nix && \
         printf 'my network\\n{PASSWORD}\\n' | /opt/deploy/bin/deploy secrets new installer-wifi && \
         git add --all && git -c user.name=operator -c user.email=operator@mac commit -q -m iso"
    ))?;
    let deploy = |args: &str| -> Result<Said> {
        Ok(Said::of(&mac.command(["sh", "-c", &line(args)]).spawn()?.wait(SLOW)?))
    };
    deploy("iso")?.ends(0, &["installer-iso.iso", "SHA-256"])?;
    let qemu = format!(
        "cd {FOLDER} && timeout 120 qemu-system-x86_64 -accel tcg,thread=multi -m 512 -nodefaults \
         -display none -serial stdio -no-reboot {how}"
    );
    let said = mac.command(["sh", "-c", &qemu]).spawn()?.wait(SLOW)?;
    let said = Said::of(&said).text.replace('\r', "");
    let read = said.split("wifi begins\n").nth(1).and_then(|rest| rest.split("wifi ends").next());
    let read = read.with_context(|| format!("it did not start: {said}"))?;
    ensure!(read.contains("ssid=my network\n"), "{read}");
    ensure!(read.contains(&format!("psk={PASSWORD}\n")), "{read}");
    let found = mac.sh(&format!("grep -rlF {PASSWORD} /nix /root /tmp || :"))?;
    ensure!(found == format!("{FOLDER}/installer-iso.iso"), "it is in {found}");
    // The image of the store starts too, and has none.
    deploy("iso --no-wifi")?.ends(0, &["SHA-256"])?;
    let found = mac.sh(&format!("grep -rlF {PASSWORD} /nix /root /tmp || :"))?;
    ensure!(found.is_empty(), "it is in {found}");
    Ok(())
}
