//! Queries to PID 1 over its own socket. `systemctl` would start a program for each query, which
//! costs a deploy a tenth of a second in total, and would make PID 1 collect every property of a
//! unit, which takes two milliseconds per unit.

mod socket;

use anyhow::{Context, Result};
use zbus::{OwnedObjectPath, Variant};

pub use socket::LIMIT;

use socket::{Call, Pid1};

const MANAGER: &str = "/org/freedesktop/systemd1";

/// A unit in PID 1's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// `loaded`, `not-found`, `masked` …
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` …
    pub active: String,
    /// `running`, `dead`, `auto-restart` …
    pub sub: String,
    /// The D-Bus object path.
    pub path: String,
}

/// A job in PID 1's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: u64,
    /// The unit of the job.
    pub unit: String,
    /// `start`, `stop`, `restart` …
    pub kind: String,
    /// Whether the job runs; otherwise it waits for other jobs.
    pub runs: bool,
}

/// A selection of units.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The loaded units whose names match one of these patterns.
    Matching(&'a [&'a str]),
    /// The units with these names, loaded or not, in order.
    Named(&'a [&'a str]),
}

/// A property of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Property {
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// Bytes, such as an id.
    Bytes(Vec<u8>),
    Number(u64),
    /// A boolean.
    Truth(bool),
}

/// Lists the selected units. One reply covers all of them, which costs PID 1 little.
pub fn units(which: Which<'_>) -> Result<Vec<Listed>> {
    ask_for_units(&mut Pid1::open()?, which)
}

/// Lists the selected units by name, with the properties that `wanted` names as `(interface, name)`
/// and `read` converts. Properties that a unit lacks are left out.
pub fn units_with<T>(
    which: Which<'_>,
    wanted: impl Fn(&Listed) -> Vec<(&'static str, &'static str)>,
    read: impl Fn(Listed, Vec<(&'static str, Property)>) -> T,
) -> Result<Vec<T>> {
    let mut pid1 = Pid1::open()?;
    let units = ask_for_units(&mut pid1, which)?.into_iter();
    let with = units.map(|unit| {
        let asked = wanted(&unit);
        let told = properties(&mut pid1, &unit.path, &asked)?;
        let named = asked.iter().zip(told).filter_map(|((_, name), told)| Some((*name, told?)));
        Ok(read(unit, named.collect()))
    });
    with.collect()
}

/// Whether a unit runs, starts or is about to be restarted.
pub fn is_unit_alive(unit: &str) -> Result<bool> {
    Ok(is_alive(&named(unit)?.active))
}

/// One unit, loaded or not.
pub fn named(unit: &str) -> Result<Listed> {
    let told = units(Which::Named(&[unit]))?.pop();
    told.with_context(|| format!("systemd has no state of {unit}"))
}

/// The jobs in PID 1's queue.
pub fn jobs() -> Result<Vec<Job>> {
    type JobRow = (u32, String, String, String, OwnedObjectPath, OwnedObjectPath);
    let rows: Vec<JobRow> = Pid1::open()?.call(&manager("ListJobs", ()))?;
    let job = |(id, unit, kind, state, ..): JobRow| Job {
        id: id.into(),
        unit,
        kind,
        runs: state == "running",
    };
    Ok(rows.into_iter().map(job).collect())
}

/// Asks PID 1 to stop units without waiting for the result; a timer has nothing that must end.
/// Units that do not exist are ignored.
pub fn stop(units: &[String]) -> Result<()> {
    let mut pid1 = Pid1::open()?;
    for unit in units {
        let stopped: Result<OwnedObjectPath> =
            pid1.call(&manager("StopUnit", (unit.as_str(), "replace")));
        // Another process has already removed the unit.
        if let Err(error) = stopped
            && is_alive(&named(unit)?.active)
        {
            return Err(error);
        }
    }
    Ok(())
}

/// A number among PID 1's own properties; `None` if PID 1 is too old to have it.
pub fn number(property: &str) -> Result<Option<u64>> {
    let told = properties(&mut Pid1::open()?, MANAGER, &[("Manager", property)])?.pop().flatten();
    Ok(match told {
        Some(Property::Number(number)) => Some(number),
        _ => None,
    })
}

/// Whether a unit in this state runs, starts or is about to be restarted.
pub fn is_alive(active: &str) -> bool {
    !matches!(active, "inactive" | "failed")
}

/// Whether a unit in this state does its work now: active and not between two restarts.
pub fn is_active(active: &str) -> bool {
    matches!(active, "active" | "reloading" | "refreshing")
}

fn ask_for_units(pid1: &mut Pid1, which: Which<'_>) -> Result<Vec<Listed>> {
    type UnitRow = (
        String,
        String,
        String,
        String,
        String,
        String,
        OwnedObjectPath,
        u32,
        String,
        OwnedObjectPath,
    );
    let any: &[&str] = &[];
    let rows: Vec<UnitRow> = match which {
        Which::Matching(patterns) => pid1.call(&manager("ListUnitsByPatterns", (any, patterns))),
        Which::Named(names) => pid1.call(&manager("ListUnitsByNames", names)),
    }?;
    let unit = |(name, _, load, active, sub, _, path, ..): UnitRow| Listed {
        name,
        load,
        active,
        sub,
        path: path.to_string(),
    };
    Ok(rows.into_iter().map(unit).collect())
}

fn manager<B>(member: &str, body: B) -> Call<'_, B> {
    Call { path: MANAGER, interface: "org.freedesktop.systemd1.Manager", member, body }
}

fn properties(
    pid1: &mut Pid1,
    path: &str,
    wanted: &[(&str, &str)],
) -> Result<Vec<Option<Property>>> {
    let told = pid1.properties(path, wanted)?;
    Ok(told.into_iter().map(|value| value.and_then(|value| Property::of(&value))).collect())
}

impl Property {
    fn of(value: &Variant<'_>) -> Option<Self> {
        Some(match value {
            Variant::Str(text) => Self::Text(text.to_string()),
            Variant::U32(number) => Self::Number((*number).into()),
            Variant::U64(number) => Self::Number(*number),
            Variant::Bool(truth) => Self::Truth(*truth),
            Variant::Array(array) => {
                let bytes: Option<Vec<u8>> = array.iter().map(byte).collect();
                match bytes.filter(|bytes| !bytes.is_empty()) {
                    Some(bytes) => Self::Bytes(bytes),
                    None => Self::Texts(array.iter().filter_map(text).collect()),
                }
            }
            _ => return None,
        })
    }
}

fn byte(value: &Variant<'_>) -> Option<u8> {
    match value {
        Variant::U8(byte) => Some(*byte),
        _ => None,
    }
}

fn text(value: &Variant<'_>) -> Option<String> {
    match value {
        Variant::Str(text) => Some(text.to_string()),
        _ => None,
    }
}
