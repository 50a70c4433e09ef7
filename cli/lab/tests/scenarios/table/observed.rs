//! How an attempt ended, by the state of the machine.

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::tables::fault_table::Ending;
use deploy_wire::outcome::End;
use deploy_wire::record::Record;

use super::stand::Stand;

/// The end that matches the running system, the boot default and the attempt's record, if there is
/// one. A record that contradicts the machine is an error.
pub fn ending(stand: &Stand, record: Option<&Record>, runs: &str, boots: &str) -> Result<Ending> {
    let Some(record) = record else {
        ensure!(runs == stand.untouched, "no attempt was made, and it runs {runs}");
        ensure!(boots == stand.untouched, "no attempt was made, and it boots {boots}");
        return Ok(Ending::Untouched);
    };
    let outcome = record.outcome.as_ref().with_context(|| format!("open: {record:#?}"))?;
    let said = outcome.runs.as_ref().map(ToString::to_string);
    ensure!(said.as_deref() == Some(runs), "the record says it runs {said:?}, it runs {runs}");
    let said = outcome.boots.known().map(ToString::to_string);
    ensure!(said.as_deref() == Some(boots), "the record says it boots {said:?}, it boots {boots}");
    let (ending, system) = match outcome.end {
        End::Refused => (Ending::Untouched, &stand.untouched),
        End::Committed => (Ending::Committed, &stand.wanted),
        End::RolledBack => (Ending::RolledBack, &stand.before),
        End::TakenOver => return Ok(Ending::TakenOver),
        End::Stranded => bail!("the attempt is stranded: {outcome:#?}"),
    };
    ensure!(runs == system, "it is {ending}, and runs {runs}");
    ensure!(boots == system, "it is {ending}, and boots {boots}");
    Ok(ending)
}
