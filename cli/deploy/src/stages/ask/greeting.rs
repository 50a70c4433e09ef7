//! The script that a login starts with.

use deploy_wire::machine::Machine;

use crate::tools::{shell, ssh::Escalation};

const FACTS: &str = include_str!("ask.sh");

fn facts(machine: &Machine) -> String {
    format!("WANTED={}\n{FACTS}", shell::quote(machine.toplevel.out.as_str()))
}

/// The questions as one command: `sh -c '…'`.
pub fn facts_as_word(machine: &Machine) -> String {
    format!("sh -c {}", shell::quote(&facts(machine)))
}

/// Says who the user is and, where no password stands in between, asks all
/// questions in the same breath: the login is then the only round trip.
pub fn script(machine: &Machine) -> String {
    let facts = facts_as_word(machine);
    let mut script = "printf '@login %s\\n' \"$SSH_CONNECTION\"\n".to_owned();
    script.push_str("if [ \"$(id -u)\" = 0 ]; then echo '@root uid0'; ");
    script.push_str(&facts);
    if let Some(sudo) = &machine.sudo {
        let free = Escalation::Free(sudo.command.clone());
        let (test, run) = (free.wrap("true"), free.wrap(&facts));
        script.push_str(&format!(
            "\nelif said=$({test} 2>&1); then echo '@root free'; {run}\n\
             else echo '@root none'; printf '@sudoSaid %s\\n' \"$said\" | tail -n 1"
        ));
    }
    script.push_str("\nfi");
    script
}
