//! Evaluates several machines of which some may fail, and lets each failure stop only its own
//! machine.
//!
//! All machines are one evaluation. It catches what throws, and each machine that threw is
//! evaluated again alone to get Nix's own message. What cannot be caught (a missing attribute, an
//! infinite recursion) fails the whole evaluation. Then the machines are evaluated in halves, and a
//! half that fails in halves again, until the failing machines are found.

use serde_json::{Value, json};

use crate::tools::nix::{Evaluated, Nix, NixError};

/// The expression that turns flake outputs into machine.json documents.
pub const EXPRESSION: &str = include_str!("fleet.nix");

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
}

/// The result of the evaluation.
pub struct Outcome {
    /// The value of the machines that can be evaluated.
    pub evaluated: Evaluated,
    /// The machines that cannot be evaluated.
    pub failed: Vec<String>,
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
        tell: &mut impl FnMut(EvaluationStep<'_>),
    ) -> Result<Evaluated, NixError> {
        let function = format!("outputs: ({EXPRESSION}) {} outputs", nix_string(&args));
        nix.eval(self.url, &function, |drv| tell(EvaluationStep::Builds(drv))).await
    }

    /// Evaluates all machines. It fails if there is only one, or if the fault is the flake's and no
    /// machine's.
    pub async fn evaluate(
        &self,
        nix: &Nix,
        mut tell: impl FnMut(EvaluationStep<'_>),
    ) -> Result<Outcome, NixError> {
        let (mut all, mut parts) = match self.eval(nix, self.args(), &mut tell).await {
            Ok(evaluated) => {
                let parts = alone(&evaluated);
                (evaluated, parts)
            }
            Err(error) if self.candidates.is_some_and(|words| words.len() < 2) => {
                return Err(error);
            }
            Err(error) => {
                let listed = self.eval(nix, self.args_of("names", None), &mut tell).await;
                let Ok(Evaluated { value, warnings }) = listed else { return Err(error) };
                let mut names: Vec<String> = texts(&value["names"]).collect();
                names.sort();
                names.dedup();
                if names.len() < 2 {
                    return Err(error);
                }
                tell(EvaluationStep::Apart);
                let known = value["known"].clone();
                let all = Evaluated { value: json!({ "known": known }), warnings };
                (all, halves(&names))
            }
        };
        let mut failed = Vec::new();
        while let Some(names) = parts.pop() {
            let args = self.args_of(self.what.word(), Some(&names));
            match (self.eval(nix, args, &mut tell).await, names.as_slice()) {
                (Ok(evaluated), _) => {
                    parts.extend(alone(&evaluated));
                    add(&mut all, evaluated);
                }
                (Err(error), [name]) => {
                    tell(EvaluationStep::Failed(name, error));
                    failed.push(name.clone());
                }
                (Err(_), names) => parts.extend(halves(names)),
            }
        }
        Ok(Outcome { evaluated: all, failed })
    }
}

impl Wanted {
    /// What `fleet.nix` calls it.
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
