//! The profiles besides the system, and which of them differ.

use deploy_wire::{
    machine::{Machine, Profile},
    outcome::End,
};

use super::is_up_to_date;
use crate::{
    error::{Failure, Result},
    stages::ask::{Facts, ProfileFacts},
};

/// The machine's description, reduced to what needs a deploy: without a system that is up to date
/// while a profile differs, and without profiles that are up to date.
pub fn needed(machine: &Machine, facts: &Facts) -> Machine {
    let missing: Vec<Profile> = with_facts(machine, facts)
        .filter(|(profile, seen)| !is_profile_up_to_date(profile, seen, facts))
        .map(|(profile, _)| profile.clone())
        .collect();
    let mut needed = machine.clone();
    if is_up_to_date(facts) && !missing.is_empty() {
        needed.toplevel = None;
    }
    needed.profiles.retain(|profile| {
        profile.is_system() && needed.toplevel.is_some() || missing.contains(profile)
    });
    needed
}

/// A line for each profile, in a plan.
pub fn profile_lines(machine: &Machine, facts: &Facts) -> Vec<String> {
    let line = |(profile, seen): (&Profile, &ProfileFacts)| {
        if is_profile_up_to_date(profile, seen, facts) {
            format!("{profile}: up to date")
        } else {
            format!("{profile}: would be activated; no health checks")
        }
    };
    with_facts(machine, facts).map(line).collect()
}

fn with_facts<'a>(
    machine: &'a Machine,
    facts: &'a Facts,
) -> impl Iterator<Item = (&'a Profile, &'a ProfileFacts)> {
    const NOT_KNOWN: &ProfileFacts = &ProfileFacts { has_user: false, names: None };
    let seen = facts.profiles.iter().chain(std::iter::repeat(NOT_KNOWN));
    machine.other_profiles().into_iter().zip(seen)
}

/// Refuses profiles whose users do not exist. Only a system that is deployed together with its
/// profiles may create the users.
pub(super) fn refuse_missing_users(machine: &Machine, facts: &Facts) -> Result<()> {
    let name = &machine.name;
    let gone = with_facts(machine, facts).find(|(_, seen)| !seen.has_user);
    match gone {
        Some((profile, _)) if machine.toplevel.is_none() => {
            Err(Failure::unchanged(format!("{profile} on {name} cannot be deployed"))
                .because(format!("{name} has no user {}", profile.user))
                .hint(Some(format!(
                    "deploy a system that has the user first: deploy {name}.system"
                ))))
        }
        _ => Ok(()),
    }
}

/// Whether the system and all profiles are up to date.
pub(super) fn is_all_up_to_date(machine: &Machine, facts: &Facts) -> bool {
    (machine.toplevel.is_none() || is_up_to_date(facts))
        && with_facts(machine, facts)
            .all(|(profile, seen)| is_profile_up_to_date(profile, seen, facts))
}

/// Whether the link names the wanted profile. It does not count if an attempt that did not commit
/// left the link there.
fn is_profile_up_to_date(profile: &Profile, seen: &ProfileFacts, facts: &Facts) -> bool {
    let last = facts.attempt.as_ref().ok().and_then(Option::as_ref);
    let failed = last.filter(|record| {
        record.outcome.as_ref().is_none_or(|outcome| outcome.end != End::Committed)
    });
    let is_left = failed.is_some_and(|record| {
        let same =
            |(name, user): (&String, &String)| (name, user) == (&profile.name, &profile.user);
        record.profiles.iter().any(|it| same((&it.name, &it.user)) && it.wanted == profile.path)
    });
    seen.names.as_ref() == Some(&profile.path) && !is_left
}

#[cfg(test)]
mod tests {
    use deploy_wire::{
        attempt::Mode,
        outcome::{BootDefault, Outcome},
    };

    use super::*;
    use crate::stages::plan::{
        AcceptedName, Plan, decide,
        tests::{facts, machine, path},
    };

    fn with_home() -> Machine {
        let mut json = serde_json::to_value(machine()).unwrap();
        json["profiles"] = serde_json::json!([{
            "name": "home", "user": "joe", "path": path('5').as_str(), "order": 1,
            "script": "custom",
        }]);
        Machine::from_json(json).unwrap()
    }

    fn home(has_user: bool, names: Option<char>) -> Facts {
        let names = names.map(path);
        Facts { profiles: vec![ProfileFacts { has_user, names }], ..facts() }
    }

    #[test]
    fn a_profile_that_differs_is_deployed_without_the_system() {
        let decide = |facts: &Facts| {
            decide(&with_home(), facts, Mode::Switch, &AcceptedName::default()).unwrap()
        };
        assert_eq!(decide(&home(true, Some('5'))), Plan::UpToDate);
        for facts in [home(true, Some('6')), home(true, None), home(false, None)] {
            assert_eq!(decide(&facts), Plan::Deploy);
            let needed = needed(&with_home(), &facts);
            assert!(needed.toplevel.is_none() && needed.profiles.len() == 1);
        }
        let both = Facts { runs: Some(path('2')), ..home(true, Some('5')) };
        let needed = needed(&with_home(), &both);
        assert!(needed.toplevel.is_some() && needed.profiles.is_empty());
    }

    #[test]
    fn what_a_failed_attempt_left_in_a_profile_is_not_up_to_date() {
        let record = include_str!("../../../../wire/golden/message/record.json");
        let mut record: deploy_wire::record::Record = serde_json::from_str(record).unwrap();
        record.profiles[0].wanted = path('5');
        let after = |end| {
            let mut record = record.clone();
            let (runs, boots) = (Some(path('1')), BootDefault::Known(path('1')));
            let (why, generation, notes) = (None, None, Vec::new());
            record.outcome = Some(Outcome { end, why, runs, boots, generation, notes });
            Facts { attempt: Ok(Some(record)), ..home(true, Some('5')) }
        };
        let decide = |facts: &Facts| {
            decide(&with_home(), facts, Mode::Switch, &AcceptedName::default()).unwrap()
        };
        assert_eq!(decide(&after(End::Stranded)), Plan::Deploy);
        assert_eq!(decide(&after(End::Committed)), Plan::UpToDate);
    }

    #[test]
    fn a_profile_alone_needs_its_user() {
        let alone = Machine { toplevel: None, ..with_home() };
        let decide = |facts: &Facts| decide(&alone, facts, Mode::Switch, &AcceptedName::default());
        let refused = decide(&home(false, None)).unwrap_err();
        assert_eq!(refused.causes, ["frame1 has no user joe"]);
        assert_eq!(decide(&home(true, None)).unwrap(), Plan::Deploy);
        // The running system differs from the flake's and stays.
        let old = Facts { wanted: None, ..home(true, Some('5')) };
        assert_eq!(decide(&old).unwrap(), Plan::UpToDate);
    }
}
