//! What a machine says of itself at the login.

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

/// The answers of `ask.sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its platform; `None` for one that is not supported.
    pub system: Option<System>,
    /// What `uname -m` says.
    pub uname: String,
    /// What it calls itself.
    pub host: String,
    /// By what it is known.
    pub identity: Identity,
    /// What runs; `None` when it is no NixOS.
    pub runs: Option<StorePath>,
    /// Whether Nix's database there lacks what runs.
    pub not_registered: bool,
    /// The generation that the system profile names.
    pub generation: Option<u64>,
    /// The system in that generation.
    pub profile: Option<StorePath>,
    /// What boots.
    pub boots: BootDefault,
    /// The wanted system, if it is in the machine's store already.
    pub wanted: Option<StorePath>,
    /// Where its `nix-daemon` is; `None` when it has no Nix.
    pub nix: Option<String>,
    /// Where its `env` is.
    pub env: Option<String>,
    /// Free bytes in `/nix`.
    pub free: Option<u64>,
    /// Seconds since 1970 on its clock.
    pub now: u64,
    /// The agent to ask: the open attempt's own, which a root of that attempt keeps, else the
    /// one that is kept beyond attempts. The first attempt has no other:
    /// `the-next-status-or-deploy-ends-an-attempt-that-a-power-cut-left-open` proves it.
    pub agent: Option<StorePath>,
    /// The agent that is part of the system that runs.
    pub installed: Option<StorePath>,
    /// A unit of another tool that switches it right now.
    pub switching: Option<String>,
    /// Units that are failed; `None` where systemd was not asked, or could not be.
    pub failed_units: Option<Vec<String>>,
    /// The agent's services that are active: those that watch over an attempt, and what is
    /// installed.
    pub watchers: Vec<String>,
    /// Kernel, initrd, modules and systemd of the system that was booted.
    pub booted_parts: BTreeMap<String, String>,
    /// The attempt that is open, or the last one. An unreadable record is an
    /// error text.
    pub attempt: Result<Option<Record>, String>,
    /// What was confirmed last.
    pub confirmed: Result<Option<Confirmed>, String>,
    /// The profiles besides the system, in the order of the machine's description.
    pub profiles: Vec<ProfileFacts>,
}

/// What a machine says of a profile besides the system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFacts {
    /// Whether its user is there.
    pub has_user: bool,
    /// What its link names; `None` also where that may not be read.
    pub names: Option<StorePath>,
}

/// The words and files of an answer.
#[derive(Debug, Default)]
pub struct Answer {
    words: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    watchers: Vec<String>,
}

impl Answer {
    /// Reads the lines that the greeting printed. Other lines (a chatty shell
    /// start-up file) are passed over.
    pub fn read(text: &str) -> Self {
        let mut answer = Self::default();
        let mut file: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(content) = line.strip_prefix('|') {
                if let Some((_, text)) = file.as_mut() {
                    text.push_str(content);
                    text.push('\n');
                }
            } else if let Some(word) = line.strip_prefix('@') {
                let (key, value) = word.split_once(' ').unwrap_or((word, ""));
                match key {
                    "file" => file = Some((value.to_owned(), String::new())),
                    "endfile" => answer.files.extend(file.take()),
                    // One line for each; the last one says nothing of the others:
                    // `an_attempt_is_busy_whatever_else_of_the_agent_is_active`.
                    "watcher" => answer.watchers.push(value.trim().to_owned()),
                    _ => {
                        answer.words.insert(key.to_owned(), value.trim().to_owned());
                    }
                }
            }
        }
        answer
    }

    /// The value of a word, unless it is missing or empty.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.words.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn file(&self, name: &str) -> Option<String> {
        self.files.get(name).cloned()
    }

    fn path(&self, key: &str) -> Option<StorePath> {
        self.word(key).and_then(|path| StorePath::containing(path).ok())
    }

    fn sealed<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(text) = self.files.get(name) else { return Ok(None) };
        sealed::open(text.as_bytes()).map(Some).map_err(|error| error.to_string())
    }

    fn systemd_boot(&self) -> Option<SystemdBoot> {
        let mut entries = BTreeMap::<String, String>::new();
        // `FOLDER/NAME.conf:LINE`, as grep prints it.
        for line in self.files.get("systemdBootEntries").into_iter().flat_map(|text| text.lines()) {
            let Some((file, line)) = line.split_once(':') else { continue };
            let name = file.rsplit_once('/').map_or(file, |(_, name)| name);
            let text = entries.entry(name.to_owned()).or_default();
            text.push_str(line);
            text.push('\n');
        }
        let images = self.word("systemdBootImages").into_iter().flat_map(|names| names.split('/'));
        let variable = |name| self.word(name).map(str::to_owned);
        Some(SystemdBoot {
            loader_conf: self.file("systemdBoot")?,
            entries,
            images: images.filter(|name| name.ends_with(".efi")).map(str::to_owned).collect(),
            variables: match (self.words.get("efi"), self.word("efi")) {
                (None, _) => Variables::None,
                (Some(_), None) => Variables::Unreadable,
                (Some(_), Some(_)) => Variables::Read {
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
            grub: self.file("grub"),
            extlinux: self.file("extlinux"),
            systemd_boot: self.systemd_boot(),
        };
        let uname = self.word("machine").unwrap_or_default();
        // `df -P`: device, size, used, available, …, in units of 1024 bytes.
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
                host_keys: self.file("hostKeys").map(|text| host_keys(&text)).unwrap_or_default(),
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
            watchers: self.watchers.clone(),
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
            self.words.contains_key(&user).then(|| ProfileFacts {
                has_user: self.word(&user).is_some(),
                names: self.path(&format!("profile-{index}")),
            })
        };
        (0..).map_while(of).collect()
    }
}

impl Facts {
    /// Whether what is wanted is what was confirmed last.
    pub fn is_confirmed(&self) -> bool {
        let confirmed = self.confirmed.as_ref().ok().and_then(Option::as_ref);
        confirmed.is_some_and(|confirmed| Some(&confirmed.toplevel) == self.wanted.as_ref())
    }

    /// With what the agent saw as root. The boot loader's files and the records need not be
    /// there for the user to read.
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

    /// With records that the agent could not read.
    pub fn with_unread_records(self, why: &str) -> Self {
        Self { attempt: Err(why.to_owned()), confirmed: Err(why.to_owned()), ..self }
    }
}

#[cfg(test)]
mod tests;
