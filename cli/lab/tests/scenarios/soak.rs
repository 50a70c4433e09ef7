//! The scenarios that only `scripts/soak` runs. `scripts/test` must end within half an hour on two
//! cores, and these take longer together. The output names each of them.

use deploy_lab::tables::fault_table::Fault;

/// Parts of names, and why these scenarios are left out.
const LEFT: &[(&str, &str)] = &[
    ("table-power-cut-after-every-durable-call", "the power is cut sixty times"),
    ("deploy-rs-table-", "deploy-rs's own table takes twenty minutes"),
    ("wall-clock-jumps", "it needs a virtual machine, of scripts/wall-clock"),
    ("a-thousand-", "a thousand deploys take an hour"),
    ("a-push-of-chunks-is-cut-at-each-", "thirty pushes are cut, and another scenario cuts two"),
    ("within-each-kind-of-message", "sixteen pushes over a slow line are cut"),
    ("no-lie-about-", "eleven pushes over a slow line, each with a lie"),
    (
        "-makes-a-push-of-whole-paths",
        "pushes over a slow line; the streams are tested without hosts",
    ),
    ("an-agent-that-knows-no-delta-", "one more push over a slow line"),
    ("the-main-story-in-world-", "all worlds take ten minutes, and a world says little of others"),
    ("-on-real-nixos", "a real system takes a minute to switch there and back"),
    ("-on-a-real-system", "a real system takes a minute to switch there and back"),
    (
        "-brings-frame1-back",
        "a check of one kind goes the way of all others, and each takes a minute",
    ),
    ("a-virtual-machine-boots-what-was-committed", "an emulated machine boots five times"),
    ("a-rehearsal-that-fails-", "two emulated machines are made and booted"),
    ("an-installer-image-with-wi-fi-starts-as-a-disc-too", "as a stick it starts the same system"),
    ("a-rehearsal-that-is-interrupted-", "an emulated machine is made three times"),
    ("a-virtual-machine-ends-with-", "an emulated machine boots three times"),
    ("an-installation-that-ends-badly-", "each phase of it fails once"),
    ("a-machine-of-deploy-new-is-installed-", "another one is installed with a new key"),
    ("an-installed-machine-whose-check-fails-", "one more installation"),
    ("nixos-anywhere-s-own-script-", "it does what its stand-in does in another scenario"),
    ("a-builder-s-key-that-nobody-removes-expires", "sshd refuses it after two minutes"),
    ("a-builder-s-key-goes-with-the-operator", "three pushes are cut off, each over a slow line"),
    ("a-builder-that-cannot-reach-the-machine-", "the stream has its scenario with another reason"),
    ("the-stand-in-switches-as-written", "it tries the lab's own switch, for three minutes"),
];

/// The rows that `scripts/test` runs on the hostile lane: those in which a process on the machine
/// waits for something that a user could hold.
const BESIDE: [Fault; 4] =
    [Fault::OperatorKilled, Fault::NoNewLogins, Fault::AgentKilled, Fault::PowerCut];

/// Why the other rows of the hostile lane are left out.
const OTHERS: &str = "the rows in which the machine waits for nobody take three minutes";

/// Parts of the names of scenarios that wait for more than a minute without using the processor.
const WAITING: &[&str] = &[
    "network-gone-",
    "a-system-that-takes-the-agent-from-its-user",
    "a-killed-deploy-leaves-no-ssh-and-no-nix",
    "the-next-deploy-ends-what-a-lost-connection-left-behind",
    "a-profile-that-does-not-end-goes-back",
    "a-builder-s-key-that-nobody-removes-expires",
];

/// Whether a scenario mostly waits.
pub fn is_waiting(name: &str) -> bool {
    WAITING.iter().any(|part| name.contains(part))
}

/// Why the rows of the fault table besides the nine main ones are left out.
const ROW: &str = "the rows of other faults take two minutes, and all of them five";

/// Exceptions that `scripts/test` runs nevertheless. On real NixOS: the rollback, and a power cut
/// before and after the confirmation. Of the checks: one. Of the worlds: three. In the first, a
/// start-up file prints before a sudo password, fish is the login shell, and there are all tricky
/// ssh_config settings, sid's Nix and the module over a reboot. In the second, the boot loader is
/// in /efi, with doas. The third has both, and a new machine-id at the boot after a power cut. Each
/// of these made `deploy` fail once.
const KEPT: &[&str] = &[
    "a-system-that-stops-sshd-is-rolled-back-on-real-nixos",
    "a-site-that-the-proxy-does-not-answer-brings-frame1-back",
    "a-power-cut-while-waiting-comes-back-on-the-old-system-on-real-nixos",
    "a-power-cut-the-instant-deploy-ends-boots-the-new-system-on-real-nixos",
    "the-main-story-in-world-12",
    "the-main-story-in-world-22",
    "the-main-story-in-world-10",
];

/// Why a scenario is left to `scripts/soak`; `None` if `scripts/test` runs it.
pub fn left(name: &str) -> Option<&'static str> {
    let is_of = |row: &Fault| name.starts_with(&format!("table-{}-in-", row.word()));
    let clock = Fault::ClockJumps;
    if Fault::ALL.iter().any(|row| is_of(row) && *row != clock && !Fault::MAIN.contains(row)) {
        return Some(ROW);
    }
    let is_beside = name.ends_with("-beside-a-hostile-user");
    if is_beside && Fault::MAIN.iter().any(|row| is_of(row) && !BESIDE.contains(row)) {
        return Some(OTHERS);
    }
    let (_, why) = LEFT.iter().find(|(part, _)| name.contains(part))?;
    (!KEPT.contains(&name)).then_some(why)
}
