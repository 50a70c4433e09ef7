//! What `scripts/test` leaves to `scripts/soak`: it must end within half an hour on two
//! cores, and these take longer together. Each says so in the output.

use deploy_lab::fault_table::Fault;

/// Parts of names, and why they are left.
const LEFT: &[(&str, &str)] = &[
    ("table-power-cut-after-every-durable-call", "the power is cut sixty times"),
    ("deploy-rs-table-", "deploy-rs's own table takes twenty minutes"),
    ("wall-clock-jumps", "it needs a virtual machine, of scripts/wall-clock"),
    ("a-thousand-", "a thousand deploys take an hour"),
    ("-on-real-nixos", "a real system takes a minute to switch there and back"),
];

/// Rows of the fault table that are left, and why.
const ROWS: &[Fault] = &[
    Fault::OperatorSuspended,
    Fault::NetworkBack,
    Fault::StoreFull,
    Fault::BootFull,
    Fault::Reloads,
    Fault::OtherTool,
    Fault::Garbage,
    Fault::Hangs,
    Fault::HalfSwitched,
    Fault::SoftReboot,
];
const ROW: &str = "the rows of other faults take two minutes, and all of them five";

/// Scenarios on real NixOS that are not left: one for each kind of fault.
const KEPT: &[&str] = &[
    "a-system-that-stops-sshd-is-rolled-back-on-real-nixos",
    "new-logins-fail-while-old-ones-live-rolls-back-on-real-nixos",
    "a-power-cut-while-waiting-comes-back-on-the-old-system-on-real-nixos",
    "a-power-cut-the-instant-deploy-ends-boots-the-new-system-on-real-nixos",
    "an-agent-killed-while-waiting-goes-back-at-the-same-deadline-on-real-nixos",
];

/// Why a scenario is left to `scripts/soak`; none if it is not.
pub fn left(name: &str) -> Option<&'static str> {
    if ROWS.iter().any(|row| name.starts_with(&format!("table-{}-in-", row.word()))) {
        return Some(ROW);
    }
    let (_, why) = LEFT.iter().find(|(part, _)| name.contains(part))?;
    (!KEPT.contains(&name)).then_some(why)
}
