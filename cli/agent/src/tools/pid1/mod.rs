//! What PID 1 is asked. It answers over a socket of its own: a program for each question, as
//! `systemctl` is, costs a deploy a tenth of a second in all, and asks PID 1 for every property
//! of a unit, which takes it two milliseconds a unit.

mod socket;

use anyhow::{Context, Result};
use zbus::{OwnedObjectPath, Variant};

pub use socket::LIMIT;

use socket::{Call, Pid1};

const MANAGER: &str = "/org/freedesktop/systemd1";

/// A unit, in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// `loaded`, `not-found`, `masked` …
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` …
    pub active: String,
    /// `running`, `dead`, `auto-restart` …
    pub sub: String,
    /// Its object.
    pub path: String,
}

/// A job in PID 1's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// The unit that it is for.
    pub unit: String,
    /// `start`, `stop`, `restart` …
    pub kind: String,
    /// Whether it runs; else it waits for others.
    pub runs: bool,
}

/// Which units are meant.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those in memory whose names match one of these.
    Matching(&'a [&'a str]),
    /// Those of these names, in memory or not, in their order.
    Named(&'a [&'a str]),
}

/// A property of a unit, as its interface has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Property {
    /// A text.
    Text(String),
    /// Several.
    Texts(Vec<String>),
    /// Bytes, as an id is.
    Bytes(Vec<u8>),
    /// A number.
    Number(u64),
    /// A yes or no.
    Truth(bool),
}

/// The units that are meant. One answer for all: it costs PID 1 little.
pub fn units(which: Which<'_>) -> Result<Vec<Listed>> {
    ask_for_units(&mut Pid1::open()?, which)
}

/// The units that are meant, with what `read` makes of the properties of each that `wanted`
/// names, as `(interface, name)`: those that it has, by name.
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

/// One unit, in memory or not.
pub fn named(unit: &str) -> Result<Listed> {
    let told = units(Which::Named(&[unit]))?.pop();
    told.with_context(|| format!("systemd has no state of {unit}"))
}

/// Jobs that PID 1 has.
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

/// Has units stopped, and does not wait for it: of a timer nothing has to end. One that is not
/// there needs nothing.
pub fn stop(units: &[String]) -> Result<()> {
    let mut pid1 = Pid1::open()?;
    for unit in units {
        let stopped: Result<OwnedObjectPath> =
            pid1.call(&manager("StopUnit", (unit.as_str(), "replace")));
        // Who has taken it away meanwhile did what is wanted.
        if let Err(error) = stopped
            && is_alive(&named(unit)?.active)
        {
            return Err(error);
        }
    }
    Ok(())
}

/// A number that PID 1 has of itself; none where it is too old to have it.
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

/// Whether a unit in this state does its work now: up and not in between two tries.
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
