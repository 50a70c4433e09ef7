//! The rule that determines which units a deploy broke. Pure; docs/units.md has it as a table.

use std::time::Duration;

use deploy_wire::machine::Units as Rules;

use super::{
    role::{Role, role},
    runs::{UnitRun, UnitRuns, is_good_end},
    snapshot::{Snapshot, Unit, Units},
};

/// A unit that is not healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub unit: String,
    /// How the unit is unhealthy.
    pub detail: String,
    /// Whether the unit can still recover.
    pub state: UnitFailure,
    pub role: Role,
}

/// Whether an unhealthy unit can still recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitFailure {
    /// Nothing starts it again.
    Broken,
    /// systemd restarts it. Its state at the end of the check's time counts.
    Restarting,
}

/// The input of the rule besides the units.
pub struct Context<'a> {
    /// The units at `stage`.
    pub before: &'a Snapshot,
    /// Which units decide, and how long they must stay up.
    pub rules: &'a Rules,
    /// Whether the wanted system defines a unit differently.
    pub differs: &'a dyn Fn(&str) -> bool,
    /// The observed runs of units that systemd restarts.
    pub runs: &'a UnitRuns,
}

/// A unit that systemd had restarted this often at `stage`…
const LOOP: u64 = 2;
/// … and within this time was already in a restart loop.
const RECENT: Duration = Duration::from_secs(600);

impl Context<'_> {
    /// The units that are unhealthy now, and were healthy at `stage` or have changed since.
    /// Deciding units come first, and among these the ones that cannot recover.
    pub fn findings(&self, now: &Units) -> Vec<Finding> {
        let found = now.iter().filter_map(|(name, unit)| {
            let changed = (self.differs)(name);
            let role = self.role(name, unit);
            if role == Role::Ignored {
                return None;
            }
            let (state, detail) = self.find_failure(name, unit, changed)?;
            Some(Finding { unit: name.clone(), detail, state, role })
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|finding| (finding.role != Role::Deciding, finding.state));
        found
    }

    /// A deciding unit that this deploy touched and that has not kept its state for long enough, if
    /// any. `now_monotonic` is the time of `now`.
    pub fn young<'u>(&self, now: &'u Units, now_monotonic: Duration) -> Option<&'u str> {
        let lived = |unit: &Unit| {
            let since = Duration::from_micros(unit.changed_us);
            now_monotonic.saturating_sub(since) >= self.rules.watch()
        };
        let mut young = now.iter().filter(|(name, unit)| {
            let before = self.before.units.get(*name);
            let touched = before.is_none_or(|before| unit.moved_since(before));
            touched && can_die(unit) && !lived(unit) && !self.comes_and_goes(name)
        });
        let decides = |(name, unit): &(&String, &Unit)| self.role(name, unit) == Role::Deciding;
        young.find(decides).map(|(name, _)| name.as_str())
    }

    fn role(&self, name: &str, unit: &Unit) -> Role {
        let differs = (self.differs)(name);
        if self.is_undeclared(name, unit) && !differs {
            return Role::Ignored;
        }
        role(name, unit, self.rules, differs)
    }

    /// Whether a unit has no file, neither now nor before: a mount of a container or a user, or a
    /// swap that was switched on by hand. No system declares it, so no system is to blame for it.
    fn is_undeclared(&self, name: &str, unit: &Unit) -> bool {
        let before = self.before.units.get(name);
        unit.fragment.is_empty() && before.is_none_or(|before| before.fragment.is_empty())
    }

    /// Whether a unit restarts by design: its runs end successfully, or it was already in a restart
    /// loop at `stage` and has not changed.
    fn comes_and_goes(&self, name: &str) -> bool {
        let ends_well = |run: &UnitRun| run.good_end && run.bad_end.is_none();
        self.runs.of(name).is_some_and(ends_well)
            || (self.looped_before(name) && !(self.differs)(name))
    }

    fn looped_before(&self, name: &str) -> bool {
        let at = self.before.at_us;
        let recent =
            |was: &Unit| u128::from(at.saturating_sub(was.changed_us)) < RECENT.as_micros();
        let loops = |was: &Unit| {
            was.sub.starts_with("auto-restart") || (was.restarts >= LOOP && recent(was))
        };
        self.before.units.get(name).is_some_and(loops)
    }

    /// The failure of a unit that it did not have before. For a unit that this deploy changed, the
    /// state before does not count.
    fn find_failure(&self, name: &str, now: &Unit, changed: bool) -> Option<(UnitFailure, String)> {
        let before = self.before.units.get(name);
        let was = before.filter(|_| !changed);
        let broken = |detail: String| Some((UnitFailure::Broken, detail));
        if is_gone(now) {
            return None;
        }
        if now.active == "failed" {
            let same = was.is_some_and(|was| was.active == "failed" && was.result == now.result);
            return (!same).then(|| (UnitFailure::Broken, format!("failed ({})", now.result)));
        }
        // The unit still works with its old configuration and will fail at its next start: scenario
        // `a-broken-caddyfile-is-rolled-back`.
        if now.is_active()
            && !is_good_end(&now.reload)
            && was.is_none_or(|was| was.reload != now.reload)
        {
            return broken(format!("its reload failed ({})", now.reload));
        }
        if let Some(run) = self.runs.of(name)
            && let Some(result) = &run.bad_end
            && !run.came_up(now, self.rules.watch())
            && (changed || !self.looped_before(name))
        {
            let seconds = run.must_live(self.rules.watch()).as_secs();
            return Some((UnitFailure::Restarting, describe_end(run, result, seconds)));
        }
        let was_active = before.is_some_and(Unit::is_active);
        if was_active
            && now.load == "loaded"
            && now.active == "inactive"
            && !is_good_end(&now.result)
        {
            return broken(format!("it is inactive ({})", now.result));
        }
        None
    }
}

fn describe_end(run: &UnitRun, result: &str, seconds: u64) -> String {
    let ended = match result {
        "" => "it ended".to_owned(),
        result => format!("it ended ({result})"),
    };
    let times = match run.restarts {
        0 => return format!("{ended} and waits to be restarted"),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    format!("{ended}, was restarted {times} and has not run for {seconds} s since")
}

/// Whether the unit can still fail. A unit that finished its work cannot. NixOS runs some such
/// units at every switch, and a deploy that touches nothing else need not wait for them.
fn can_die(unit: &Unit) -> bool {
    let ended = unit.active == "inactive" || unit.sub == "exited";
    !(is_gone(unit) || (ended && is_good_end(&unit.result)))
}

/// Whether the new system no longer has the unit. How it ended when it was stopped for good says
/// nothing about the new system.
fn is_gone(unit: &Unit) -> bool {
    unit.load == "not-found" && !unit.is_active()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
