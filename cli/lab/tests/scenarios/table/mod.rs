//! The cells of the fault table on real hosts. All scenarios run the same code, and
//! `deploy_lab::tables::fault_table` has the required ends.

mod acts;
mod durable;
mod hold;
mod lane;
mod observed;
mod operator;
pub mod peer;
mod settings;
mod stand;
mod strike;

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, wall_clock};
use deploy_lab::systems::{Lane, READY};
use deploy_lab::tables::fault_table::{
    Cell, Ending, Fault, Phase, Seen, System, cell, keep, not_on_real,
};

use self::operator::Told;
use self::stand::Stand;
use crate::harness::Scenario;

/// The limit from the release until the attempt has ended on its own.
const LONGEST: Duration = Duration::from_secs(60);
/// The limit where the machine must notice that the operator is gone. Its sshd keeps a login whose
/// other end is silent, and the deadline of a staged attempt is two minutes.
const SILENCE: Duration = Duration::from_secs(150);

/// All scenarios: the cells on each lane (nine main rows on the hostile one), the phases in which
/// the power is cut at every durable call, and the cells of deploy-rs.
pub fn all() -> Vec<Scenario> {
    let cells = Fault::ALL.into_iter().flat_map(|fault| Phase::ALL.map(|phase| (fault, phase)));
    cells
        .filter(|(fault, phase)| matches!(cell(*fault, *phase), Cell::Ends(..)))
        .flat_map(|(fault, phase)| {
            let name = format!("table-{}-in-{}", fault.word(), phase.word());
            let [stand_in, real]: [fn() -> Option<String>; 2] = match fault {
                Fault::ClockJumps => {
                    [wall_clock::missing, || wall_clock::missing().or_else(|| READY.missing())]
                }
                _ => [|| None, || READY.missing()],
            };
            let real = not_on_real(fault, phase).is_none().then(|| {
                let name = format!("{name}-on-real-nixos");
                Scenario::cell(name, Lane::Real, fault, phase).unless(real)
            });
            let hostile = Fault::MAIN.contains(&fault).then(|| {
                let name = format!("{name}-beside-a-hostile-user");
                Scenario::cell(name, Lane::Hostile, fault, phase)
            });
            let stand_in = Scenario::cell(name, Lane::StandIn, fault, phase).unless(stand_in);
            [Some(stand_in), real, hostile]
        })
        .flatten()
        .chain(durable::ALL.iter().cloned())
        .chain(peer::all())
        .collect()
}

/// Causes a fault in a phase and checks the end.
pub fn run(lab: &mut Lab, lane: Lane, fault: Fault, phase: Phase) -> Result<()> {
    keep(lane, fault, phase, None)?;
    let Cell::Ends(must, must_say) = cell(fault, phase) else { return Ok(()) };
    let mut stand = Stand::new(lab, lane, fault, phase)?;
    let (mut deploy, held) = stand.begin()?;
    let at = stand.attempt()?;
    let struck = stand.strike(&mut deploy, held)?;
    let told = deploy.end()?.as_ref().map(Told::of).transpose()?;
    stand.heal()?;
    let silent = (fault, phase) == (Fault::NetworkGone, Phase::Stage);
    let record = stand.ended(at.as_ref(), if silent { SILENCE } else { LONGEST })?;
    let runs = stand.runs()?;
    let mut evidence = format!("{}; {}", stand.in_phase(at.as_ref())?, struck.evidence(&stand)?);
    let boots = stand.boots()?;
    if let Some(user) = &stand.user {
        evidence += &format!("; {}", user.evidence()?);
    }

    let ending = observed::ending(&stand, record.as_ref(), &runs, &boots)?;
    ensure!(ending == must, "it ended {ending}, not {must}: {record:#?}\n{told:?}");
    match (&told, must_say) {
        (Some(told), Some(must_say)) => {
            told.tells(must_say)?;
            truth(told, &runs, &boots)?;
        }
        (None, None) => {}
        _ => ensure!(false, "deploy was to be killed, or was not: {told:?}"),
    }
    let boots = match boots {
        boots if boots == stand.wanted => System::New,
        boots if boots == stand.before => System::Old,
        _ => System::Other,
    };
    let code = told.map(|told| told.code);
    keep(lane, fault, phase, Some(&Seen { ending, boots, code, points: 1, evidence }))
}

/// Checks that the systems in `deploy`'s report are the actual ones.
fn truth(told: &Told, runs: &str, boots: &str) -> Result<()> {
    for (what, said, is) in [("runs", &told.runs, runs), ("boots", &told.boots, boots)] {
        let Some(said) = said else { continue };
        if said.starts_with("not known (") {
            continue;
        }
        ensure!(said == is, "deploy says it {what} {said}, and it {what} {is}");
    }
    let named = told.runs.is_some() && told.boots.is_some();
    let must_name = matches!(told.ending, Ending::Committed | Ending::RolledBack);
    ensure!(named || !must_name, "deploy does not say what runs and boots: {told:?}");
    Ok(())
}
