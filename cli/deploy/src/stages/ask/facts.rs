//! The facts that a machine reports at the login.

use std::collections::BTreeMap;

use deploy_wire::{
    baseline::{Confirmed, Identity, host_keys},
    loader::{LoaderFiles, SystemdBoot, Variables},
    machine::System,
    message::Status,
    outcome::BootDefault,
    record::Record,
    sealed,
    store_path::StorePath,
};

use crate::tools::answer::Answer;

/// The output of `ask.sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The machine's platform; `None` if it is not supported.
    pub system: Option<System>,
    /// The output of `uname -m`.
    pub uname: String,
    /// The host name that the machine reports.
    pub host: String,
    /// What identifies the machine.
    pub identity: Identity,
    /// The running system; `None` if the machine is not NixOS.
    pub runs: Option<StorePath>,
    /// Whether the running system is missing from the database of the machine's store.
    pub not_registered: bool,
    /// The current generation of the system profile.
    pub generation: Option<u64>,
    /// The system of that generation.
    pub profile: Option<StorePath>,
    /// The boot default.
    pub boots: BootDefault,
    /// The wanted system, if the machine's store already has it.
    pub wanted: Option<StorePath>,
    /// The path of `nix-daemon`; `None` if the machine has no Nix.
    pub nix: Option<String>,
    /// The path of `env`.
    pub env: Option<String>,
    /// Free bytes in `/nix`.
    pub free: Option<u64>,
    /// Seconds since 1970 on the machine's clock.
    pub now: u64,
    /// The agent to ask: the agent of the open attempt, which the attempt roots, otherwise the
    /// agent that is kept after attempts. During a first attempt only the former exists:
    /// `the-next-status-or-deploy-ends-an-attempt-that-a-power-cut-left-open` proves it.
    pub agent: Option<StorePath>,
    /// The agent that is part of the running system.
    pub installed: Option<StorePath>,
    /// A unit of another tool that is switching the machine now.
    pub switching: Option<String>,
    /// The failed units; `None` if systemd was not asked or did not answer.
    pub failed_units: Option<Vec<String>>,
    /// The agent's active services: the watchers of an attempt, and the installed ones.
    pub watchers: Vec<String>,
    /// The kernel, initrd, modules and systemd of the booted system.
    pub booted_parts: BTreeMap<String, String>,
    /// The open attempt or the last one; an error text if the record cannot be read.
    pub attempt: Result<Option<Record>, String>,
    /// The file of the last commit.
    pub confirmed: Result<Option<Confirmed>, String>,
    /// The other profiles, in the order of the machine's description.
    pub profiles: Vec<ProfileFacts>,
}

/// The facts of a profile besides the system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFacts {
    /// Whether its user exists.
    pub has_user: bool,
    /// The target of its link; `None` also if the user may not read it.
    pub names: Option<StorePath>,
}

impl Answer {
    fn path(&self, key: &str) -> Option<StorePath> {
        self.word(key).and_then(|path| StorePath::containing(path).ok())
    }

    fn sealed<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(text) = self.file(name) else { return Ok(None) };
        sealed::open(text.as_bytes()).map(Some).map_err(|error| error.to_string())
    }

    fn systemd_boot(&self) -> Option<SystemdBoot> {
        let mut entries = BTreeMap::<String, String>::new();
        // `FOLDER/NAME.conf:LINE`, as grep prints it.
        for line in self.file("systemdBootEntries").unwrap_or_default().lines() {
            let Some((file, line)) = line.split_once(':') else { continue };
            let name = file.rsplit_once('/').map_or(file, |(_, name)| name);
            let text = entries.entry(name.to_owned()).or_default();
            text.push_str(line);
            text.push('\n');
        }
        let images = self.word("systemdBootImages").into_iter().flat_map(|names| names.split('/'));
        let variable = |name| self.word(name).map(str::to_owned);
        Some(SystemdBoot {
            loader_conf: self.file("systemdBoot")?.to_owned(),
            entries,
            images: images.filter(|name| name.ends_with(".efi")).map(str::to_owned).collect(),
            variables: match (self.has("efi"), self.word("efi")) {
                (false, _) => Variables::None,
                (true, None) => Variables::Unreadable,
                (true, Some(_)) => Variables::Read {
                    one_shot: variable("LoaderEntryOneShot"),
                    default: variable("LoaderEntryDefault"),
                },
            },
        })
    }

    /// The facts, if the whole script ran.
    pub fn facts(&self) -> Option<Facts> {
        self.word("facts")?;
        let loader = LoaderFiles {
            grub: self.file("grub").map(str::to_owned),
            extlinux: self.file("extlinux").map(str::to_owned),
            systemd_boot: self.systemd_boot(),
        };
        let uname = self.word("machine").unwrap_or_default();
        // `df -P` prints device, size, used, available, … in units of 1024 bytes.
        let free = self.word("free").and_then(|line| line.split_whitespace().nth(3));
        let generation = self
            .word("profile")
            .and_then(|link| link.strip_prefix("system-")?.strip_suffix("-link")?.parse().ok());
        let attempt = self.sealed::<Record>("attempt");
        let open = attempt.clone().ok().flatten().filter(Record::is_open);
        let parts = ["kernel", "initrd", "kernel-modules", "systemd"];
        Some(Facts {
            system: System::of_uname(uname),
            uname: uname.to_owned(),
            host: self.word("host").unwrap_or_default().to_owned(),
            identity: Identity {
                machine_id: self.word("machineId").unwrap_or_default().to_owned(),
                host_keys: self.file("hostKeys").map(host_keys).unwrap_or_default(),
            },
            runs: self.path("runs"),
            not_registered: self.word("notRegistered").is_some(),
            generation,
            profile: self.path("profileSystem"),
            boots: loader.boot_default(),
            wanted: self.path("wanted"),
            nix: self.word("nix").map(str::to_owned),
            env: self.word("env").map(str::to_owned),
            free: free.and_then(|kib| kib.parse::<u64>().ok()).map(|kib| kib * 1024),
            now: self.word("now").and_then(|now| now.parse().ok()).unwrap_or_default(),
            agent: open.map(|record| record.agent).or_else(|| self.path("agent")),
            installed: self.path("installed"),
            switching: self.word("switching").map(str::to_owned),
            failed_units: self.file("failedUnits").map(|text| {
                text.lines().filter_map(|l| l.split_whitespace().next()).map(Into::into).collect()
            }),
            // There may be several lines, and each counts:
            // `an_attempt_is_busy_whatever_else_of_the_agent_is_active`.
            watchers: self.all("watcher").to_vec(),
            booted_parts: parts
                .into_iter()
                .filter_map(|part| {
                    Some((part.to_owned(), self.word(&format!("booted-{part}"))?.to_owned()))
                })
                .collect(),
            attempt,
            confirmed: self.sealed("confirmed"),
            profiles: self.profiles(),
        })
    }

    fn profiles(&self) -> Vec<ProfileFacts> {
        let of = |index: usize| {
            let user = format!("profileUser-{index}");
            self.has(&user).then(|| ProfileFacts {
                has_user: self.word(&user).is_some(),
                names: self.path(&format!("profile-{index}")),
            })
        };
        (0..).map_while(of).collect()
    }
}

impl Facts {
    /// Whether the wanted system is the confirmed one.
    pub fn is_confirmed(&self) -> bool {
        let confirmed = self.confirmed.as_ref().ok().and_then(Option::as_ref);
        confirmed.is_some_and(|confirmed| Some(&confirmed.toplevel) == self.wanted.as_ref())
    }

    /// Adds the facts that the agent read as root. The user may not be able to read the boot
    /// loader's files and the records.
    pub fn seen_by_root(self, status: Status) -> Self {
        let open = status.attempt.as_ref().filter(|record| record.is_open());
        Self {
            runs: status.runs,
            generation: status.profile.generation,
            profile: status.profile.system,
            boots: status.boots,
            agent: open.map(|record| record.agent.clone()).or(self.agent),
            attempt: Ok(status.attempt),
            confirmed: Ok(status.confirmed),
            ..self
        }
    }

    /// Marks the records as unreadable.
    pub fn with_unread_records(self, why: &str) -> Self {
        Self { attempt: Err(why.to_owned()), confirmed: Err(why.to_owned()), ..self }
    }
}

#[cfg(test)]
mod tests;
