//! `deploy adopt`: the folder of a machine that runs NixOS. Nothing is changed there.

use deploy_wire::machine::Ssh;

use super::new::{
    admins::Admins,
    ask::{self, NotAnswered},
    failed, release,
    write::Write,
};
use crate::{
    args::AdoptArgs,
    error::{Failure, Result},
    outcome::{INTERRUPTED, USAGE},
    queries::survey,
    report::{Event, Format, Report},
    scaffold::{
        adopted::{self, Adopted, Surveyed},
        answers,
        fleet_call::FleetCall,
        folder,
        modules::MachineModules,
        services,
    },
    tools::{answer::Answer, ssh::named, terminal::Interrupts},
};

/// Writes it. Exit codes: 1, it was not written; 2, there is no terminal to ask on; 130, it was
/// interrupted before.
pub async fn run(args: &AdoptArgs) -> u8 {
    let report = Report::new(Format::People, args.folder.rules.detail());
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            return failed(&report, Failure::unchanged("cannot listen for Ctrl-C").because(error));
        }
    };
    let found = match interrupts.unless_interrupted(look(args, &report)).await {
        Some(Ok(found)) => found,
        Some(Err(NotAnswered::Refused(failure))) => return failed(&report, failure),
        Some(Err(NotAnswered::Nobody(failure))) => {
            report.tell(Event::Failed(failure));
            return USAGE;
        }
        None => {
            let failure = Failure::unchanged("interrupted before anything was written");
            report.tell(Event::Failed(failure));
            return INTERRUPTED;
        }
    };
    match write(args, found, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

/// A machine that was looked at, and where its folder goes.
struct FoundMachine {
    fleet: FleetCall,
    machine: MachineModules,
    admins: Admins,
    host_key: String,
    notes: Vec<String>,
}

async fn look(args: &AdoptArgs, report: &Report) -> std::result::Result<FoundMachine, NotAnswered> {
    let ssh = named(&args.host);
    let refused = || Failure::unchanged(format!("{} was not adopted", args.host));
    let address = answers::address(&ssh.hostname).map_err(|why| refused().because(why))?;
    // Before the login, which takes longest.
    let place = args.name.as_deref().map(ask::place).transpose()?;
    let services = ask::chosen(&args.folder.services, &format!("the folder of {}", args.host))?;
    let domain = args.folder.domain.clone();
    if services::need_domain(&services) && domain.is_none() {
        return Err(refused()
            .because("a service has a site, and no domain is named")
            .hint(Some("--domain home.example.org".into()))
            .into());
    }
    let answer = survey::of(&ssh, report).await?;
    let word = |key: &str| answer.word(key).unwrap_or_default().to_owned();
    if answer.word("nixos").is_none() {
        return Err(refused()
            .because(format!("it runs {}, no NixOS", answer.word("os").unwrap_or("something else")))
            .hint(Some(
                "deploy new NAME writes the folder of a machine that is to be installed".into(),
            ))
            .into());
    }
    let (fleet, name) = match place {
        Some(place) => place,
        None => {
            ask::place(word("host").split('.').next().unwrap_or_default()).map_err(|failure| {
                failure.hint(Some(format!("--name NAME; it calls itself `{}`", word("host"))))
            })?
        }
    };
    folder::refuse_existing(&fleet, &name)?;
    let platform = format!("{}-linux", word("machine"));
    let platform = answers::platform(&platform)
        .map_err(|why| refused().because(format!("its platform is {platform}: {why}")))?;
    let user = answers::user(&word("user"))
        .map_err(|why| refused().because(format!("the user `{}`: {why}", word("user"))))?;
    let release =
        args.state_version.clone().map_or_else(|| state_version(&answer, &refused), Ok)?;
    let admins = Admins::find(&fleet, args.folder.admin_key.as_deref(), report).await?;
    let Adopted { hardware, notes } = adopted::adopted(&surveyed(&answer));
    let Ssh { port, .. } = ssh;
    let machine = MachineModules {
        keys: admins.path_for_machine(&fleet),
        name,
        platform,
        release,
        address,
        port,
        user,
        hardware,
        services,
        domain,
    };
    let key = word("key");
    let key: Vec<&str> = key.split_whitespace().take(2).collect();
    let key = key.join(" ");
    if key.is_empty() {
        return Err(refused()
            .because(
                "it has no /etc/ssh/ssh_host_ed25519_key.pub, with which it could read secrets",
            )
            .into());
    }
    Ok(FoundMachine { fleet, machine, admins, host_key: key, notes })
}

async fn write(args: &AdoptArgs, found: FoundMachine, report: &Report) -> Result<()> {
    let FoundMachine { fleet, machine, admins, host_key, notes } = found;
    let write = Write {
        fleet: &fleet,
        machine: &machine,
        admins: &admins,
        vm: None,
        host_key: Some(&host_key),
        rules: &args.folder.rules,
        keys: &args.folder.keys,
    };
    write.run(report).await?;
    notes.into_iter().for_each(|note| report.note(&machine.name, note));
    let name = &machine.name;
    report.note(
        name,
        "users, services and files of its own configuration were not read: add what it is to keep",
    );
    report.note(name, format!("next: deploy plan {name} --build shows what a deploy would change"));
    Ok(())
}

/// What its own configuration says. A wrong release would have services read their data wrong, so none
/// is guessed.
fn state_version(answer: &Answer, refused: &dyn Fn() -> Box<Failure>) -> Result<String> {
    let declared = answer.file("state").and_then(release::declared);
    declared.ok_or_else(|| {
        let first = answer.word("first").map(|first| {
            format!("; the oldest generation that it has is of {first}, which may be newer")
        });
        refused()
            .because(format!(
                "its /etc/nixos does not say its stateVersion{}",
                first.unwrap_or_default()
            ))
            .hint(Some("--state-version RELEASE, as its configuration has it".into()))
    })
}

fn surveyed(answer: &Answer) -> Surveyed {
    let file = |name: &str| answer.file(name).unwrap_or_default().to_owned();
    Surveyed {
        hardware: file("hardware"),
        grub: answer.word("grub").is_some(),
        grub_state: file("grubState"),
        extlinux: answer.word("extlinux").is_some(),
        systemd_boot: answer.word("systemdBoot").map(str::to_owned),
        efi: answer.word("efi").is_some(),
        mounts: file("mounts"),
        swaps: file("swaps"),
        disks: file("disks"),
        addresses: file("addresses"),
        route: file("route"),
        nameservers: file("nameservers"),
    }
}
