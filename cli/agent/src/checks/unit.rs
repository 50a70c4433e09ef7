//! Whether units are active: one question to PID 1 for all of them. A program for each, every
//! second, would be a load of its own on a machine with twenty services.

use deploy_wire::machine::full_name;

use super::words::CheckOutcome;
use crate::tools::pid1::{self, Which};

/// What is seen of each unit, in their order.
pub fn look(units: &[&str]) -> Vec<CheckOutcome> {
    let names: Vec<_> = units.iter().map(|unit| full_name(unit)).collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let all = |why: String| units.iter().map(|_| Err(why.clone())).collect();
    match pid1::units(Which::Named(&names)) {
        Ok(listed) if listed.len() == units.len() => {
            listed.iter().zip(units).map(|(listed, unit)| word(&listed.active, unit)).collect()
        }
        // It says nothing of a name that no unit can have.
        Ok(_) => all(format!("systemd did not report all of {}", names.join(" "))),
        Err(error) => all(format!("{error:#}")),
    }
}

fn word(active: &str, unit: &str) -> CheckOutcome {
    if pid1::is_active(active) { Ok(active.into()) } else { Err(format!("{unit} is {active}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_reloaded_is_active() {
        assert_eq!(word("reloading", "a.service"), Ok("reloading".into()));
        assert_eq!(word("activating", "a.service"), Err("a.service is activating".into()));
    }
}
