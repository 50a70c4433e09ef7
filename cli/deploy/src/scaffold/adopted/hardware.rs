//! `hardware.nix` of a machine that runs.

use rnix::{Root, ast::AttrpathValue};
use rowan::ast::AstNode;

use super::{file_systems::FileSystems, quoted};

/// Words of settings that may have a secret beside them.
const SECRET: [&str; 6] = ["password", "passphrase", "secret", "credential", "token", "keyfile"];

/// The output of nixos-generate-config, without settings that may have a secret; a note says which
/// were left out.
pub fn without_secrets(text: &str) -> (String, Option<String>) {
    let mut kept = text.trim_end().to_owned();
    let mut left_out = Vec::new();
    let entries = Root::parse(text).tree().syntax().descendants().filter_map(AttrpathValue::cast);
    let is_setting = |entry: &AttrpathValue| {
        !entry.syntax().ancestors().skip(1).any(|above| AttrpathValue::can_cast(above.kind()))
    };
    // From the end, so that places in front stay.
    for entry in entries.filter(is_setting).collect::<Vec<_>>().into_iter().rev() {
        let setting = entry.syntax().text().to_string();
        if may_have_a_secret(&setting) {
            let range = entry.syntax().text_range();
            let place = usize::from(range.start())..usize::from(range.end());
            kept.replace_range(place, "# A setting was left out, because it may have a secret.");
            let name = setting.split('=').next().unwrap_or_default().trim().to_owned();
            left_out.insert(0, name);
        }
    }
    let note = (!left_out.is_empty()).then(|| {
        format!(
            "hardware.nix is without {} of nixos-generate-config's output, which may have a secret: \
             add it by hand, with the secret in a file of agenix's",
            left_out.join(", ")
        )
    });
    (format!("# The output of nixos-generate-config on the machine.\n{kept}\n"), note)
}

/// Whether a setting names a secret, or a device as `//user:password@server/share`.
fn may_have_a_secret(setting: &str) -> bool {
    let small = setting.to_lowercase();
    let has_login = small.contains("//") && small.contains('@');
    has_login || SECRET.iter().any(|word| small.contains(word))
}

/// The same from what is mounted.
pub fn from_facts(systems: &FileSystems) -> String {
    let mut text = String::from(
        "# Made from what was mounted, because nixos-generate-config could not be run there. Compare it \
         with\n# the machine's own hardware-configuration.nix before the first deploy.\n{\n  \
         boot.initrd.availableKernelModules = [\n    \"ahci\"\n    \"nvme\"\n    \"sd_mod\"\n    \
         \"usb_storage\"\n    \"virtio_blk\"\n    \"virtio_pci\"\n    \"xhci_pci\"\n  ];\n\
         \n  hardware.enableRedistributableFirmware = true;\n",
    );
    for one in &systems.mounted {
        let options: Vec<String> = one.options.iter().map(|option| quoted(option)).collect();
        let options = match options.is_empty() {
            true => String::new(),
            false => format!("    options = [ {} ];\n", options.join(" ")),
        };
        text += &format!(
            "\n  fileSystems.{} = {{\n    device = {};\n    fsType = {};\n{options}  }};\n",
            quoted(&one.folder),
            quoted(&one.device),
            quoted(&one.kind)
        );
    }
    if !systems.swap.is_empty() {
        let swap: Vec<String> = systems
            .swap
            .iter()
            .map(|device| format!("{{ device = {}; }}", quoted(device)))
            .collect();
        text += &format!("\n  swapDevices = [ {} ];\n", swap.join(" "));
    }
    text + "}\n"
}
