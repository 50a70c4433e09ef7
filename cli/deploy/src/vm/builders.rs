//! What can build a Linux system on this computer, and what is missing where nothing can. The
//! decision is pure: what is looked at on the computer is its input.

use std::path::Path;

use super::computer::OperatingSystem;

/// What was found on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBuilders {
    /// The operating system.
    pub os: OperatingSystem,
    /// The platforms that Nix here builds for itself.
    pub systems: Vec<String>,
    /// How many builds run here at once; 0 means none.
    pub jobs: u64,
    /// The lines of `builders`, or of the file that it names.
    pub builders: String,
    /// Why the file that `builders` names cannot be read.
    pub unreadable: Option<String>,
    /// Whether nix-darwin's service `linux-builder` is installed.
    pub nix_darwin: bool,
    /// Whether Determinate Nix is installed.
    pub determinate: bool,
    /// The container programs on PATH, and whether each answers.
    pub containers: Vec<(String, Result<(), String>)>,
}

/// The service of nix-darwin's `nix.linux-builder.enable`.
pub const NIX_DARWIN: &str = "/Library/LaunchDaemons/org.nixos.linux-builder.plist";
/// The program of Determinate Nix.
pub const DETERMINATE: &str = "/usr/local/bin/determinate-nixd";
/// The programs that run containers, the usual one first.
pub const CONTAINERS: [&str; 2] = ["docker", "podman"];

impl FoundBuilders {
    /// Whether Nix here can build for this platform, itself or on a builder that it knows.
    pub fn can_build(&self, system: &str) -> bool {
        let own = self.jobs > 0 && self.systems.iter().any(|own| own == system);
        own || self.remote(system).is_some()
    }

    /// The first builder that Nix knows for this platform.
    fn remote(&self, system: &str) -> Option<&str> {
        self.builders.split(['\n', ';']).find_map(|line| {
            let mut words = line.split_whitespace();
            let host = words.next().filter(|host| !host.starts_with('#'))?;
            let systems = words.next().unwrap_or("-");
            systems.split(',').any(|one| one == system).then_some(host)
        })
    }

    /// What to do where nothing builds for this platform, the nearest way first.
    pub fn ways_out(&self, system: &str) -> String {
        let mut ways = Vec::new();
        if let Some(why) = &self.unreadable {
            ways.push(format!("Nix's list of builders cannot be read: {why}"));
        }
        if self.jobs == 0 && self.systems.iter().any(|own| own == system) {
            ways.push("this computer could build it, but max-jobs = 0 in nix.conf".to_owned());
        }
        if self.nix_darwin {
            ways.push(format!(
                "nix-darwin's linux-builder is installed, and Nix has no builder for {system}: is it \
                 on? sudo launchctl kickstart -k system/org.nixos.linux-builder"
            ));
        }
        if self.determinate {
            ways.push(
                "Determinate Nix is installed, with a Linux builder of its own: determinate-nixd \
                 status says whether it is on for this account"
                    .to_owned(),
            );
        }
        for (program, answers) in &self.containers {
            ways.push(match answers {
                Ok(()) => {
                    format!("{program} answers: --build-in {program} builds it in a container")
                }
                Err(why) => format!("{program} is installed, and does not answer: {why}"),
            });
        }
        if !self.nix_darwin && self.os == OperatingSystem::MacOs {
            ways.push("nix-darwin has one: nix.linux-builder.enable = true".to_owned());
        }
        ways.push(format!(
            "a machine that builds for {system}: /etc/nix/machines, or --builders \
             'ssh-ng://HOST {system}' behind --"
        ));
        if self.os == OperatingSystem::Linux {
            ways.push(
                "emulation here: boot.binfmt.emulatedSystems, or extra-platforms in nix.conf"
                    .to_owned(),
            );
        }
        format!("nothing here builds for {system}:\n{}", ways.join("\n"))
    }
}

/// The image of the container that builds.
const IMAGE: &str = "docker.io/nixos/nix";
/// The volume with the container's store, which is kept between builds.
const VOLUME: &str = "deploy-nix";

/// A shell script that builds a derivation in a container and brings its closure here. The container
/// sees the derivation and nothing else of this computer.
pub fn in_container(program: &str, drv: &str, out: &str) -> String {
    format!(
        "nix-store --export $(nix-store --query --requisites {drv}) | \
         {program} run --rm --interactive --volume {VOLUME}:/nix {IMAGE} sh -euc '\
         nix-store --import > /dev/null; nix-store --realise {drv} > /dev/null; \
         nix-store --export $(nix-store --query --requisites {out})' | \
         nix-store --import > /dev/null && nix-store --check-validity {out}"
    )
}

/// Reads the builders that the setting names: lines, or `@` and a file.
pub fn lines(setting: &str) -> (String, Option<String>) {
    let Some(file) = setting.strip_prefix('@') else { return (setting.to_owned(), None) };
    match std::fs::read_to_string(Path::new(file)) {
        Ok(text) => (text, None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), None),
        Err(error) => (String::new(), Some(format!("{file}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: &str = "aarch64-linux";

    fn mac() -> FoundBuilders {
        FoundBuilders {
            os: OperatingSystem::MacOs,
            systems: vec!["aarch64-darwin".into()],
            jobs: 8,
            builders: String::new(),
            unreadable: None,
            nix_darwin: false,
            determinate: false,
            containers: Vec::new(),
        }
    }

    #[test]
    fn a_builder_that_nix_knows_is_found_by_its_platform() {
        let with = |builders: &str| FoundBuilders { builders: builders.into(), ..mac() };
        assert!(!mac().can_build(ARM));
        assert!(with("ssh-ng://builder@linux-builder aarch64-linux /key 4").can_build(ARM));
        assert!(with("a x86_64-linux; b i686-linux,aarch64-linux").can_build(ARM));
        assert!(!with("# a aarch64-linux\nb x86_64-linux").can_build(ARM));
        let linux = |jobs| FoundBuilders { systems: vec![ARM.into()], jobs, ..mac() };
        assert!(linux(1).can_build(ARM));
        assert!(!linux(0).can_build(ARM));
    }

    #[test]
    fn each_thing_that_is_there_is_named_with_what_is_missing() {
        let says = |found: FoundBuilders, part: &str| {
            let ways = found.ways_out(ARM);
            assert!(ways.starts_with("nothing here builds for aarch64-linux:\n"), "{ways}");
            assert!(ways.contains(part), "no `{part}` in:\n{ways}");
        };
        says(mac(), "nix-darwin has one: nix.linux-builder.enable = true");
        says(mac(), "--builders 'ssh-ng://HOST aarch64-linux' behind --");
        says(FoundBuilders { nix_darwin: true, ..mac() }, "system/org.nixos.linux-builder");
        says(FoundBuilders { determinate: true, ..mac() }, "determinate-nixd status");
        let docker =
            |answers| FoundBuilders { containers: vec![("docker".into(), answers)], ..mac() };
        says(docker(Ok(())), "docker answers: --build-in docker");
        says(
            docker(Err("no daemon".into())),
            "docker is installed, and does not answer: no daemon",
        );
        let unreadable = Some("/etc/nix/machines: denied".into());
        says(FoundBuilders { unreadable, ..mac() }, "cannot be read: /etc/nix/machines: denied");
        let idle = FoundBuilders { systems: vec![ARM.into()], jobs: 0, ..mac() };
        says(idle, "max-jobs = 0");
    }

    #[test]
    fn nothing_is_offered_that_is_not_there() {
        let ways = FoundBuilders { os: OperatingSystem::Linux, ..mac() }.ways_out(ARM);
        for absent in ["docker", "nix-darwin", "Determinate", "max-jobs"] {
            assert!(!ways.contains(absent), "{ways}");
        }
    }

    #[test]
    fn a_container_gets_a_derivation_and_gives_its_closure() {
        insta::assert_snapshot!(in_container("podman", "/nix/store/a-vm.drv", "/nix/store/b-vm"));
    }

    #[test]
    fn a_list_of_builders_may_be_a_file() {
        assert_eq!(lines("a aarch64-linux").0, "a aarch64-linux");
        assert_eq!(lines("@/nowhere/machines"), (String::new(), None));
        let folder = tempfile::tempdir().unwrap();
        let (text, why) = lines(&format!("@{}", folder.path().display()));
        assert!(text.is_empty() && why.is_some_and(|why| why.contains("directory")));
    }
}
