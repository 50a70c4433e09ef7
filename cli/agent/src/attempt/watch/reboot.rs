//! The last step of the rollback: a reboot into the previous boot default.

use anyhow::Result;
use deploy_wire::{
    baseline::Confirmed, outcome::BootDefault, record::Record, store_path::StorePath,
};

use super::{Watch, check};
use crate::{
    attempt::{ledger::Happened, transition::Event},
    clock,
    machine::look,
    storage::files,
};

/// The ways to reboot, tried in turn, each for a third of the limit: an orderly reboot, one that
/// does not wait for units, and one without PID 1. An orderly reboot waits forever for a unit
/// without a stop timeout.
const WAYS: [&[&str]; 3] = [&["reboot"], &["reboot", "--force"], &["reboot", "--force", "--force"]];

impl Watch<'_> {
    /// Reboots. The next process that finds the record tells the result. This process ends with the
    /// boot, or reports that the machine did not reboot.
    pub fn reboot(&self, record: &Record) -> Result<Option<Happened>> {
        let stays = |why: String| Happened {
            event: Event::NotRebooted,
            why: Some(format!("{}; {why}", reason(record))),
            notes: vec![next_by_itself(record)],
        };
        let into =
            match destination(record, self.agent.ledger.confirmed()?.as_ref(), &look::boots()) {
                Ok(into) => into,
                Err(why) => return Ok(Some(stays(format!("it was not rebooted: {why}")))),
            };
        self.events.note(format!("rebooting into {into}"));
        for folder in ["/", "/nix/store"] {
            files::sync_file_system(folder)?;
        }
        let third = record.rules.timeouts.rollback() / 3;
        for way in WAYS {
            if check::is_deadline_over(record) {
                break;
            }
            // systemd may give no answer because the reboot has begun.
            if let Err(error) = self.agent.systemd.must(way, third) {
                eprintln!("{error:#}");
            }
            let end = clock::boottime() + third;
            while clock::boottime() < end && !check::is_deadline_over(record) {
                if !self.is_unmoved(record)? {
                    return Ok(None);
                }
                self.changes.wait(end.saturating_sub(clock::boottime()));
            }
        }
        let limit = record.rules.timeouts.rollback;
        Ok(Some(stays(format!("it did not reboot within {limit} s"))))
    }
}

/// The system that a reboot would start, if it is acceptable as an end: the previous boot default,
/// which ran at `stage` or was confirmed once.
fn destination<'r>(
    record: &'r Record,
    confirmed: Option<&Confirmed>,
    now: &BootDefault,
) -> Result<&'r StorePath, String> {
    let before = match &record.boots {
        BootDefault::Known(before) => before,
        BootDefault::Unknown(why) => return Err(format!("what it boots is not known ({why})")),
    };
    if now.known() != Some(before) {
        return Err(format!("its boot default is {now} now, and was {before}"));
    }
    let is_confirmed = confirmed.is_some_and(|confirmed| confirmed.toplevel == *before);
    if *before != record.ran && !is_confirmed {
        return Err(format!(
            "its boot default {before} did not run before, and nobody confirmed it"
        ));
    }
    Ok(before)
}

/// What happens to a stranded machine without anybody's action.
pub fn next_by_itself(record: &Record) -> String {
    let nothing = match (record.rules.rollback.reboot, record.rebooted) {
        (false, _) => "rollback.reboot is false, so it does not reboot by itself",
        (true, _) => "nothing more happens by itself",
    };
    format!("{nothing}; switched off and on again, it boots {}", look::boots())
}

/// The reason for the rollback.
pub fn reason(record: &Record) -> &str {
    record.why.as_deref().unwrap_or("the attempt was given up")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAN: &str = "/nix/store/11111111111111111111111111111111-ran";
    const BOOTS: &str = "/nix/store/22222222222222222222222222222222-boots";

    fn known(path: &str) -> BootDefault {
        BootDefault::Known(StorePath::parse(path).unwrap())
    }

    fn record(boots: BootDefault) -> Record {
        let text = include_str!("../../../../wire/golden/message/record.json");
        let record: Record = serde_json::from_str(text).unwrap();
        Record { ran: StorePath::parse(RAN).unwrap(), boots, ..record }
    }

    fn confirmed(path: &str) -> Confirmed {
        let text = include_str!("../../../../wire/golden/message/confirmed.json");
        let confirmed: Confirmed = serde_json::from_str(text).unwrap();
        Confirmed { toplevel: StorePath::parse(path).unwrap(), ..confirmed }
    }

    #[test]
    fn it_reboots_only_into_what_ran_or_was_confirmed() {
        let to = |boots: &str, confirmed: Option<&Confirmed>| {
            destination(&record(known(boots)), confirmed, &known(boots)).map(ToString::to_string)
        };
        assert_eq!(to(RAN, None).unwrap(), RAN);
        assert_eq!(to(BOOTS, Some(&confirmed(BOOTS))).unwrap(), BOOTS);
        assert!(to(BOOTS, None).unwrap_err().contains("nobody confirmed it"));
        assert!(to(BOOTS, Some(&confirmed(RAN))).unwrap_err().contains("nobody confirmed it"));
    }

    #[test]
    fn a_loader_that_is_not_as_before_is_not_booted() {
        let why = |before: BootDefault, now: BootDefault| {
            destination(&record(before), None, &now).unwrap_err()
        };
        let unknown = || BootDefault::Unknown("no loader".into());
        assert!(why(unknown(), known(RAN)).contains("not known (no loader)"));
        assert!(why(known(RAN), unknown()).contains("is not known (no loader) now"));
        assert!(why(known(RAN), known(BOOTS)).contains("and was"));
    }
}
