//! Machines of which one does not evaluate: it stops itself alone.
//!
//! All of them are one evaluation. What throws in it is caught there, and each machine that did
//! is evaluated again, by itself, for Nix's own words. What cannot be caught (an attribute that
//! is not there, an endless recursion) fails the whole: then the halves are evaluated, and of the
//! half that fails its halves, until those that fail are found.

use serde_json::{Value, json};

use crate::tools::nix::{Evaluated, Nix, NixError};

use super::{EXPRESSION, nix_string};

/// What is evaluated.
pub struct Asked<'a> {
    /// The flake, as Nix is told it.
    pub url: &'a str,
    /// What each word may mean; `None` means all machines.
    pub candidates: Option<&'a [Vec<String>]>,
}

/// What is told while it goes on.
pub enum EvaluationStep<'a> {
    /// This derivation is built for it.
    Builds(&'a str),
    /// All together cannot be evaluated.
    Apart,
    /// One machine cannot be.
    Failed(&'a str, NixError),
}

/// What came of it.
pub struct Outcome {
    /// Of the machines that can be evaluated.
    pub evaluated: Evaluated,
    /// Those that cannot.
    pub failed: Vec<String>,
}

impl Asked<'_> {
    /// The arguments of the evaluation of all.
    pub fn args(&self) -> Value {
        self.args_of("machines", None)
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

    /// Evaluates all of them. It fails where there is one alone, or where the fault is the
    /// flake's and no machine's.
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
            let args = self.args_of("machines", Some(&names));
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

/// The second half first: the last one is taken next.
fn halves(names: &[String]) -> Vec<Vec<String>> {
    let (first, second) = names.split_at(names.len().div_ceil(2));
    vec![second.to_vec(), first.to_vec()]
}

fn texts(value: &Value) -> impl Iterator<Item = String> + '_ {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned))
}

/// Those that threw, each by itself, the last one first.
fn alone(evaluated: &Evaluated) -> Vec<Vec<String>> {
    let mut names: Vec<Vec<String>> =
        texts(&evaluated.value["failed"]).map(|name| vec![name]).collect();
    names.reverse();
    names
}

/// Adds what the evaluation of some machines gave to that of others.
fn add(all: &mut Evaluated, more: Evaluated) {
    for text in more.warnings {
        if !all.warnings.contains(&text) {
            all.warnings.push(text);
        }
    }
    merge(&mut all.value, more.value);
}

/// Objects have the fields of both, lists what is in either; all else is the same in each.
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
