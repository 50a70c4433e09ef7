//! Evaluates several machines of which some may fail, and lets each failure stop only its own
//! machine.
//!
//! All machines are one evaluation, or are divided among several. It catches what throws, and
//! each machine that threw is evaluated again alone to get Nix's own message. What cannot be caught
//! (a missing attribute, an infinite recursion) fails the whole evaluation. Then the machines are
//! evaluated in halves, and a half that fails in halves again, until the failing machines are found.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::workers::{Division, Share};
use crate::tools::nix::{Evaluated, Nix, NixError};

/// The expression that turns flake outputs into machine.json documents. It is `default.nix`, with the
/// files in place of their names: what Nix gets as an argument has no folder to import from.
pub const EXPRESSION: &str = concat!(
    "(",
    include_str!("fleet.nix"),
    ") { fields =\n",
    include_str!("fields.nix"),
    "; secrets =\n",
    include_str!("secrets.nix"),
    "; installation =\n",
    include_str!("installation.nix"),
    "; }",
);

/// The machines to evaluate.
pub struct Asked<'a> {
    /// The flake's reference, as Nix gets it.
    pub url: &'a str,
    /// The possible meanings of each word; `None` means all machines.
    pub candidates: Option<&'a [Vec<String>]>,
    /// What is wanted of each machine.
    pub what: Wanted,
}

/// What is wanted of each machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its document, machine.json.
    Machines,
    /// The secrets that it declares.
    Secrets,
    /// What it wants of a computer to be installed on.
    Installation,
}

/// A step that is reported during the evaluation.
pub enum EvaluationStep<'a> {
    /// Nix builds this derivation for the evaluation.
    Builds(&'a str),
    /// The machines cannot be evaluated together.
    Apart,
    /// One machine cannot be evaluated.
    Failed(&'a str, NixError),
    /// Some machines are evaluated, and others are not yet.
    Evaluated(&'a Value),
}

/// The result of the evaluation.
pub struct Outcome {
    /// The value of the machines that can be evaluated.
    pub evaluated: Evaluated,
    /// The machines that cannot be evaluated.
    pub failed: Vec<String>,
}

impl Outcome {
    /// How many machines it is about.
    pub fn machines(&self, what: Wanted) -> usize {
        let evaluated = self.evaluated.value[what.word()].as_object();
        evaluated.map_or(0, serde_json::Map::len) + self.failed.len()
    }
}

impl Asked<'_> {
    /// The arguments to evaluate all machines.
    pub fn args(&self) -> Value {
        self.args_of(self.what.word(), None)
    }

    fn args_of(&self, what: &str, among: Option<&[String]>) -> Value {
        json!({ "candidates": self.candidates, "among": among, "what": what })
    }

    async fn eval(
        &self,
        nix: &Nix,
        args: Value,
        tell: &RefCell<impl FnMut(EvaluationStep<'_>)>,
    ) -> Result<Evaluated, NixError> {
        let function = format!("outputs: ({EXPRESSION}) {} outputs", nix_string(&args));
        nix.eval(self.url, &function, |drv| (tell.borrow_mut())(EvaluationStep::Builds(drv))).await
    }

    /// Evaluates all machines. It fails if there is only one machine, or if the fault is the flake's
    /// and no machine's.
    pub async fn evaluate(
        &self,
        nix: &Nix,
        division: Division,
        tell: impl FnMut(EvaluationStep<'_>),
    ) -> Result<Outcome, NixError> {
        let tell = RefCell::new(tell);
        let may_be_apart = self.candidates.is_none_or(|words| words.len() > 1);
        let workers = division.workers;
        let is_divided = workers > 1 || division.by == Share::One;
        if is_divided && may_be_apart {
            let (known, names) = self.names(nix, &tell).await?;
            if names.len() > 1 {
                return Ok(self.apart(nix, known, division.parts(&names), workers, &tell).await);
            }
        }
        match self.eval(nix, self.args(), &tell).await {
            Ok(evaluated) => {
                let parts = alone(&evaluated);
                Ok(self.apart(nix, evaluated, parts, workers, &tell).await)
            }
            Err(error) if !may_be_apart => Err(error),
            Err(error) => {
                let Ok((known, names)) = self.names(nix, &tell).await else { return Err(error) };
                if names.len() < 2 {
                    return Err(error);
                }
                (tell.borrow_mut())(EvaluationStep::Apart);
                Ok(self.apart(nix, known, halves(&names), workers, &tell).await)
            }
        }
    }

    /// The names of the machines, and the value without any.
    async fn names(
        &self,
        nix: &Nix,
        tell: &RefCell<impl FnMut(EvaluationStep<'_>)>,
    ) -> Result<(Evaluated, Vec<String>), NixError> {
        let Evaluated { value, warnings } =
            self.eval(nix, self.args_of("names", None), tell).await?;
        let mut names: Vec<String> = texts(&value["names"]).collect();
        names.sort();
        names.dedup();
        let known = value["known"].clone();
        Ok((Evaluated { value: json!({ "known": known }), warnings }, names))
    }

    /// Adds the machines of `parts` to `all`.
    async fn apart(
        &self,
        nix: &Nix,
        all: Evaluated,
        parts: Vec<Vec<String>>,
        workers: usize,
        tell: &RefCell<impl FnMut(EvaluationStep<'_>)>,
    ) -> Outcome {
        let parts = RefCell::new(parts);
        let outcome = RefCell::new(Outcome { evaluated: all, failed: Vec::new() });
        let work = async || {
            loop {
                let Some(names) = parts.borrow_mut().pop() else { return };
                let args = self.args_of(self.what.word(), Some(&names));
                match (self.eval(nix, args, tell).await, names.as_slice()) {
                    (Ok(evaluated), _) => {
                        parts.borrow_mut().extend(alone(&evaluated));
                        (tell.borrow_mut())(EvaluationStep::Evaluated(&evaluated.value));
                        add(&mut outcome.borrow_mut().evaluated, evaluated);
                    }
                    (Err(error), [name]) => {
                        (tell.borrow_mut())(EvaluationStep::Failed(name, error));
                        outcome.borrow_mut().failed.push(name.clone());
                    }
                    (Err(_), names) => parts.borrow_mut().extend(halves(names)),
                }
            }
        };
        all_of(workers, &work).await;
        outcome.into_inner()
    }
}

/// Runs `work` as many times at once as there are `workers`.
async fn all_of(workers: usize, work: &impl AsyncFn()) {
    if workers > 1 {
        tokio::join!(work(), Box::pin(all_of(workers - 1, work)));
    } else {
        work().await;
    }
}

impl Wanted {
    /// What `fleet.nix` calls it, and the value's field.
    fn word(self) -> &'static str {
        match self {
            Self::Machines => "machines",
            Self::Secrets => "secrets",
            Self::Installation => "install",
        }
    }
}

/// A JSON document as a string in the Nix language. Nix knows all escapes of JSON that can occur
/// here, but `${` must be escaped in addition.
fn nix_string(json: &Value) -> String {
    Value::String(json.to_string()).to_string().replace("${", "\\${")
}

/// Both halves, the second one first, because the last one is taken next.
fn halves(names: &[String]) -> Vec<Vec<String>> {
    let (first, second) = names.split_at(names.len().div_ceil(2));
    vec![second.to_vec(), first.to_vec()]
}

fn texts(value: &Value) -> impl Iterator<Item = String> + '_ {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned))
}

/// The machines that threw, each alone, the last one first.
fn alone(evaluated: &Evaluated) -> Vec<Vec<String>> {
    let mut names: Vec<Vec<String>> =
        texts(&evaluated.value["failed"]).map(|name| vec![name]).collect();
    names.reverse();
    names
}

/// Adds the evaluation of some machines to that of others.
fn add(all: &mut Evaluated, more: Evaluated) {
    for text in more.warnings {
        if !all.warnings.contains(&text) {
            all.warnings.push(text);
        }
    }
    merge(&mut all.value, more.value);
}

/// Merges two values: objects by field, lists by element. Other values are the same in both.
fn merge(all: &mut Value, more: Value) {
    match (all, more) {
        (Value::Object(all), Value::Object(more)) => {
            for (name, value) in more {
                merge(all.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(all), Value::Array(more)) => {
            let new: Vec<Value> = more.into_iter().filter(|each| !all.contains(each)).collect();
            all.extend(new);
        }
        (all @ Value::Null, more) => *all = more,
        _ => {}
    }
}

#[cfg(test)]
mod tests;
