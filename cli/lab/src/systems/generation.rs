//! One generation of a machine's system: the file that a test rewrites.

use std::collections::BTreeMap;

use serde::Serialize;

/// The description of a system. It serializes to the `generation` of `systems/GENERATION.md`;
/// fields that are not set have the default documented there.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    host_name: String,
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loader: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    etc: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    units: BTreeMap<String, Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sshd: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    sshd_config: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sudoers: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    users: BTreeMap<String, User>,
    #[serde(skip_serializing_if = "String::is_empty")]
    fstab: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    systemd_conf: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    activation: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pre_switch_checks: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    boot_loader_step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initrd: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    init_interface: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breaks_off: Option<Stage>,
    ballast_mib: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contents: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    agent: String,
}

/// The groups of a user.
#[derive(Clone, Debug, Serialize)]
struct User {
    groups: Vec<String>,
}

/// A unit's text and the units that want it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    text: String,
    wanted_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

/// The contents of a kernel or an initrd.
#[derive(Clone, Debug, Serialize)]
pub struct Image {
    text: String,
    version: String,
    kib: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// The points at which a switch can break off, with exit code 1.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Units are stopped; nothing is activated.
    AfterStop,
    /// The system is activated; systemd has not reloaded.
    AfterActivate,
    /// systemd has reloaded its units.
    AfterReload,
    /// Units are restarted; stopped units are not started again.
    AfterRestart,
    /// All units are started.
    AfterStart,
}

impl Unit {
    /// A unit with this text that no other unit wants.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), wanted_by: Vec::new(), instance: None }
    }

    /// A service that multi-user.target wants, with these lines in `[Service]`. It finds its
    /// programs where NixOS has them.
    pub fn service(lines: &str) -> Self {
        let path = "Environment=PATH=/run/current-system/sw/bin";
        Self::new(format!("[Service]\n{path}\n{lines}\n")).wanted_by("multi-user.target")
    }

    /// Adds a target that wants the unit.
    pub fn wanted_by(mut self, target: &str) -> Self {
        self.wanted_by.push(target.to_owned());
        self
    }

    /// Makes the targets want this instance of the template.
    pub fn instance(mut self, name: &str) -> Self {
        self.instance = Some(name.to_owned());
        self
    }
}

impl Image {
    /// A file of `kib` KiB that differs for each `version`.
    pub fn new(version: &str, kib: u32) -> Self {
        Self { text: version.to_owned(), version: version.to_owned(), kib, file: None }
    }

    /// A copy of a file of the machine that builds.
    pub fn copy_of(file: &str) -> Self {
        Self { file: Some(file.to_owned()), ..Self::new("6.12.1", 64) }
    }
}

impl Generation {
    /// A working system; `number` is the text of its /etc/generation.
    pub fn new(host_name: &str, number: u32) -> Self {
        Self { host_name: host_name.to_owned(), number, ..Self::default() }
    }

    /// Sets NixOS's version in the system's name.
    pub fn release(mut self, release: &str) -> Self {
        self.release = Some(release.to_owned());
        self
    }

    /// Sets the platform, such as `aarch64-linux`.
    pub fn platform(mut self, platform: &str) -> Self {
        self.platform = Some(platform.to_owned());
        self
    }

    /// Sets the loader in the evaluated `boot.loader` options: `grub`, `extlinux`, `systemd-boot`.
    pub fn loader(mut self, loader: &str) -> Self {
        self.loader = Some(loader.to_owned());
        self
    }

    /// Adds a file below /etc.
    pub fn etc(mut self, path: &str, text: &str) -> Self {
        self.etc.insert(path.to_owned(), text.to_owned());
        self
    }

    /// Adds a unit.
    pub fn unit(mut self, name: &str, unit: Unit) -> Self {
        self.units.insert(name.to_owned(), unit);
        self
    }

    /// Removes sshd.
    pub fn without_sshd(mut self) -> Self {
        self.sshd = Some("off");
        self
    }

    /// Sets the first lines of sshd_config.
    pub fn sshd_config(mut self, lines: &str) -> Self {
        self.sshd_config = lines.to_owned();
        self
    }

    /// Sets the administrators' sudo rule.
    pub fn sudoers(mut self, text: &str) -> Self {
        self.sudoers = Some(text.to_owned());
        self
    }

    /// Adds a user, who may use Nix's daemon as every user on NixOS may.
    pub fn user(mut self, name: &str) -> Self {
        self.users.insert(name.to_owned(), User { groups: vec!["nix-users".to_owned()] });
        self
    }

    /// Puts this program from the operator's store on the PATH as `deploy-agent`.
    pub fn agent(mut self, path: &str) -> Self {
        self.agent = path.to_owned();
        self
    }

    /// Sets the text of /etc/fstab.
    pub fn fstab(mut self, text: &str) -> Self {
        self.fstab = text.to_owned();
        self
    }

    /// Sets lines of systemd's own settings. A change makes the switch re-execute systemd.
    pub fn systemd_conf(mut self, lines: &str) -> Self {
        self.systemd_conf = lines.to_owned();
        self
    }

    /// Adds a script to the activation.
    pub fn activation(mut self, name: &str, script: &str) -> Self {
        self.activation.insert(name.to_owned(), script.to_owned());
        self
    }

    /// Adds a pre-switch check. The switch is refused if the script fails.
    pub fn pre_switch_check(mut self, name: &str, script: &str) -> Self {
        self.pre_switch_checks.insert(name.to_owned(), script.to_owned());
        self
    }

    /// Adds a script to the end of the boot loader's installation.
    pub fn boot_loader_step(mut self, script: &str) -> Self {
        self.boot_loader_step = script.to_owned();
        self
    }

    /// Sets another kernel.
    pub fn kernel(mut self, kernel: Image) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// Sets another initrd.
    pub fn initrd(mut self, initrd: Image) -> Self {
        self.initrd = Some(initrd);
        self
    }

    /// Sets the interface of the init; all others have `systemd 2`.
    pub fn init_interface(mut self, version: &str) -> Self {
        self.init_interface = Some(version.to_owned());
        self
    }

    /// Makes the switch break off at this point, with exit code 1.
    pub fn breaks_off(mut self, stage: Stage) -> Self {
        self.breaks_off = Some(stage);
        self
    }

    /// Adds these paths of the operator's store to the closure.
    pub fn contents(mut self, paths: Vec<String>) -> Self {
        self.contents = paths;
        self
    }

    /// Adds a file of `mib` MiB to the closure.
    pub fn ballast(mut self, mib: u32) -> Self {
        self.ballast_mib = mib;
        self
    }
}
