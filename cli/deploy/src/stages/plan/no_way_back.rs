//! Services whose data is migrated. Once their new programs have started, the machine does not roll
//! back by itself. `deploy` says so and asks before the switch.

use std::io::IsTerminal;

use deploy_wire::{
    attempt::Mode,
    machine::{CheckKind, Machine, RollBackKind},
};

use crate::{
    error::{Failure, Result},
    question,
    report::{Changes, Event, Report, Units},
};

/// What to do about services that cannot go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWayBack {
    /// Ask on the terminal; refuse without a terminal.
    Ask,
    /// Report it and go on, for `--yes`.
    GoOn,
}

/// Asks the operator if this deploy starts services that cannot go back.
pub async fn ask_first(
    machine: &Machine,
    changes: &Changes,
    mode: Mode,
    answer: NoWayBack,
    report: &Report,
) -> Result<()> {
    let services = affected(machine, changes);
    if services.is_empty() || mode == Mode::Boot {
        return Ok(());
    }
    let name = &machine.name;
    let list = services.join(", ");
    let what = format!(
        "{list} must not go back once started (rollback.services): if it fails then, {name} stays \
         on the new system, not committed"
    );
    if answer == NoWayBack::GoOn {
        report.tell(Event::Note { machine: name.clone(), text: what });
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::unchanged(format!("{name} was not switched"))
            .because(what)
            .because("there is no terminal to agree on")
            .hint(Some("say --yes, or deploy on a terminal".into())));
    }
    let question = format!("{name}: {what}. Switch?");
    report
        .while_asking(question::ask_yes_or_no(&question))
        .await
        .map_err(|not| Failure::unchanged(format!("{name} was not switched")).because(not))
}

/// The affected services: those with a new or changed unit.
fn affected<'m>(machine: &'m Machine, changes: &Changes) -> Vec<&'m str> {
    let Units { new, changed, enabled, .. } = &changes.units;
    let differs = |unit: &String| [new, changed, enabled].iter().any(|list| list.contains(unit));
    let units = |service: &str| {
        let checked = machine.checks.iter().filter(|check| check.service == service);
        let checked = checked.filter_map(|check| match &check.kind {
            CheckKind::Unit { unit } => Some(unit.clone()),
            _ => None,
        });
        checked.chain([format!("{service}.service")]).collect::<Vec<_>>()
    };
    let services = machine.rollback.services.iter();
    services
        .filter(|(service, kind)| {
            **kind == RollBackKind::Unsafe && units(service).iter().any(differs)
        })
        .map(|(service, _)| service.as_str())
        .collect()
}
