//! Whether units are active. One question to PID 1 covers all of them; a program per unit and
//! second would be a noticeable load on a machine with twenty services.

use deploy_wire::machine::full_name;

use super::words::CheckOutcome;
use crate::tools::pid1::{self, Which};

/// The state of each unit, in order.
pub fn look(units: &[&str]) -> Vec<CheckOutcome> {
    let names: Vec<_> = units.iter().map(|unit| full_name(unit)).collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let all = |why: String| units.iter().map(|_| Err(why.clone())).collect();
    match pid1::units(Which::Named(&names)) {
        Ok(listed) if listed.len() == units.len() => {
            listed.iter().zip(units).map(|(listed, unit)| word(&listed.active, unit)).collect()
        }
        // systemd does not report a name that no unit can have.
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
