//! Which units a deploy broke: the rule, pure.

use std::time::Duration;

use super::snapshot::{Unit, Units};

/// A unit that this deploy broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub unit: String,
    /// In what way.
    pub detail: String,
}

/// What the rule needs besides the units.
pub struct Context<'a> {
    /// The units at `stage`.
    pub before: &'a Units,
    /// Units that are never counted.
    pub ignore: &'a [String],
    /// Whether the wanted system defines a unit otherwise.
    pub differs: &'a dyn Fn(&str) -> bool,
}

/// A unit that restarted by itself this often since `stage` is in a loop.
const LOOP: u64 = 2;

impl Context<'_> {
    /// The units that were well at `stage`, or changed since, and are broken.
    pub fn broken(&self, now: &Units) -> Vec<Broken> {
        now.iter()
            .filter(|(name, unit)| self.counts(name, unit))
            .filter_map(|(name, unit)| {
                let before = self.before.get(name);
                let detail = wrong(before, unit, (self.differs)(name))?;
                Some(Broken { unit: name.clone(), detail })
            })
            .collect()
    }

    /// A unit that this deploy touched and that has not been as it is for `watch`; none when
    /// all have. `now_monotonic` is the time of the units.
    pub fn young<'u>(
        &self,
        now: &'u Units,
        now_monotonic: Duration,
        watch: Duration,
    ) -> Option<&'u str> {
        let touched = now.iter().filter(|(name, unit)| {
            self.counts(name, unit)
                && self.before.get(*name).is_none_or(|before| unit.moved_since(before))
        });
        let lived = |unit: &Unit| {
            let since = Duration::from_micros(unit.changed_us);
            now_monotonic.saturating_sub(since) >= watch
        };
        touched
            .filter(|(_, unit)| can_die(unit))
            .find(|(_, unit)| !lived(unit))
            .map(|(name, _)| name.as_str())
    }

    fn counts(&self, name: &str, unit: &Unit) -> bool {
        let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
        let counted = matches!(kind, "service" | "socket" | "timer" | "path" | "mount" | "swap")
            || kind == "automount";
        let passing = unit.transient
            || name.starts_with("user@")
            || name.starts_with("user-runtime-dir@")
            || name.starts_with("run-")
            || name == "systemd-networkd-wait-online.service"
            || self.ignore.iter().any(|ignored| ignored == name);
        counted && !passing && !self.came_by_itself(name, unit)
    }

    /// Started by a timer, or one of a socket's connections, and not changed.
    fn came_by_itself(&self, name: &str, unit: &Unit) -> bool {
        let by = |kind: &str| unit.triggered_by.iter().any(|trigger| trigger.ends_with(kind));
        let connection = name.contains('@') && by(".socket");
        (by(".timer") || connection) && !(self.differs)(name)
    }
}

/// What is wrong with a unit that was not so before. A unit that this deploy
/// changed has no before.
fn wrong(before: Option<&Unit>, now: &Unit, changed: bool) -> Option<String> {
    let was = before.filter(|_| !changed);
    if now.active == "failed" {
        let same = was.is_some_and(|was| was.active == "failed" && was.result == now.result);
        return (!same).then(|| format!("failed ({})", now.result));
    }
    if now.sub == "auto-restart" {
        let same = was.is_some_and(|was| was.sub == "auto-restart" || was.restarts >= LOOP);
        return (!same).then(|| format!("it ended ({}) and waits to be restarted", now.result));
    }
    // It still does its work, by the old configuration, and will fail at its next start:
    // scenario `a-broken-caddyfile-is-rolled-back`.
    if now.is_active() && !well(&now.reload) {
        let same = was.is_some_and(|was| was.reload == now.reload);
        return (!same).then(|| format!("its reload failed ({})", now.reload));
    }
    let restarts_before = before.map_or(0, |before| before.restarts);
    // A start by hand sets the count to 0.
    let rose = now.restarts.checked_sub(restarts_before).unwrap_or(now.restarts);
    if rose >= LOOP && was.is_none_or(|was| was.restarts < LOOP) {
        return Some(format!("it was restarted {rose} times"));
    }
    let was_active = before.is_some_and(Unit::is_active);
    let exists = now.load == "loaded";
    if was_active && exists && now.active == "inactive" && !well(&now.result) {
        return Some(format!("it is inactive ({})", now.result));
    }
    None
}

/// What did its work and ended cannot fail any more: NixOS lets some such units run at every
/// switch, and a deploy that touches nothing else need not wait for them.
fn can_die(unit: &Unit) -> bool {
    let ended = unit.active == "inactive" || unit.sub == "exited";
    !(ended && well(&unit.result))
}

fn well(result: &str) -> bool {
    matches!(result, "success" | "" | "exec-condition" | "condition")
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
