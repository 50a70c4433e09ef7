//! Whether units are active: one question to PID 1 for all of them. A program for each, every
//! second, would be a load of its own on a machine with twenty services.

use super::Seen;
use crate::tools::systemd::Systemd;

/// What is seen of each unit, in their order.
pub fn look(systemd: &Systemd, units: &[&str]) -> Vec<Seen> {
    match systemd.active_states(units) {
        Ok(states) => states.iter().zip(units).map(|(state, unit)| word(state, unit)).collect(),
        Err(error) => units.iter().map(|_| Err(format!("{error:#}"))).collect(),
    }
}

fn word(state: &str, unit: &str) -> Seen {
    if state == "active" { Ok(state.into()) } else { Err(format!("{unit} is {state}")) }
}
