//! One evaluation of the flake, or the one that was kept of the same tree.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    apart::{Asked, EXPRESSION, EvaluationStep, Outcome, Wanted},
    broken::{self, Broken},
    kept::KeptEvaluation,
    overrides::Overrides,
    source::{absolute, folder, names_no_folder},
    workers::Workers,
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    stages::flake::{Selection, Word},
    tools::{
        nix::{Evaluated, Metadata, Nix, OLDEST, Purity, is_too_old},
        working_tree::Snapshot,
    },
};

/// A flake that is about to be evaluated.
pub struct OpenedFlake<'a> {
    selection: &'a Selection,
    overrides: &'a Overrides,
    report: &'a Report,
    /// The reference as Nix gets it.
    flake: String,
    /// The flake's reference, resolved.
    pub metadata: Metadata,
    version: String,
    is_pure: bool,
    /// Whether the user's settings accept each flake's `nixConfig`.
    pub accepts_all: bool,
}

/// What Nix gave, or what was kept of it.
pub struct FleetEvaluation {
    /// The value, and its warnings.
    pub evaluated: Evaluated,
    /// The machines that cannot be evaluated. Their errors were reported.
    pub failed: Vec<String>,
    /// Whether it was kept from an earlier run.
    pub was_kept: bool,
}

impl<'a> OpenedFlake<'a> {
    /// Resolves the flake's reference, and reads Nix's settings.
    pub async fn new(
        nix: &Nix,
        selection: &'a Selection,
        overrides: &'a Overrides,
        report: &'a Report,
    ) -> Result<Self> {
        report.tell(Event::Evaluating { flake: selection.flake.clone(), building: None });
        let flake = absolute(&selection.flake);
        if names_no_folder(&selection.flake) {
            let what = format!("there is no folder `{}`", selection.flake);
            return Err(Failure::unchanged(what).hint(Some(
                "a flake is named by its folder or its reference: deploy FLAKE#MACHINE".into(),
            )));
        }
        let not_evaluated = |error| broken::failure(&selection.flake, error, overrides.errors);
        let (metadata, version, settings) =
            tokio::join!(nix.metadata(&flake), nix.version(), nix.settings());
        let version = version.map_err(not_evaluated)?;
        if is_too_old(&version) {
            return Err(too_old(&version));
        }
        let metadata = metadata.map_err(not_evaluated)?;
        // If the settings cannot be read, the evaluation may be impure.
        let (is_pure, accepts_all) = settings
            .map_or((false, false), |it| (it.purity == Purity::Pure, it.accepts_flake_config));
        Ok(Self { selection, overrides, report, flake, metadata, version, is_pure, accepts_all })
    }

    /// Evaluates the flake for what is wanted, or takes what was kept. `told` is called with the
    /// value of some machines while others are still evaluated.
    pub async fn evaluate(
        &self,
        nix: &Nix,
        what: Wanted,
        mut told: impl FnMut(&Value),
    ) -> Result<FleetEvaluation> {
        let Self { selection, overrides, report, flake, metadata, version, is_pure, .. } = self;
        let url = metadata.url_or(flake);
        let candidates = selection.names.as_ref().map(|names| candidates(names));
        let asked = Asked { url: &url, candidates: candidates.as_deref(), what };
        let key = json!([
            metadata.locked,
            metadata.tree.as_ref().filter(|_| !metadata.is_clean()),
            metadata.locks,
            version,
            overrides.nix_args,
            asked.args(),
            EXPRESSION
        ]);
        let is_usable = *is_pure && (metadata.is_clean() || metadata.is_known());
        let kept = KeptEvaluation::new(is_usable, &key);
        if let Some(evaluated) = kept.get() {
            return Ok(FleetEvaluation { evaluated, failed: Vec::new(), was_kept: true });
        }
        let tree = TreeMeanwhile::begin(metadata).await;
        let mut broken = Broken::new(selection, overrides, report);
        let workers = Workers::of(&json!([flake, asked.args()]));
        let (division, begun) = (workers.division().await, Instant::now());
        let tell = |step: EvaluationStep<'_>| match step {
            EvaluationStep::Evaluated(value) => told(value),
            step => broken.tell(step),
        };
        let evaluated = async {
            let outcome = asked.evaluate(nix, division, tell).await;
            if let Ok(outcome) = &outcome {
                workers.keep(division, outcome.machines(what), begun.elapsed());
            }
            outcome
        };
        let (outcome, is_same) = tokio::join!(evaluated, tree.is_same(nix, flake, metadata));
        let outcome =
            outcome.map_err(|error| broken::failure(&selection.flake, error, overrides.errors))?;
        if outcome.failed.is_empty() && is_same && tree.still_holds() {
            kept.put(&outcome.evaluated);
        }
        let Outcome { evaluated, failed } = outcome;
        Ok(FleetEvaluation { evaluated, failed, was_kept: false })
    }
}

/// What may happen to a tree with uncommitted changes while it is evaluated. Nix reads it once for
/// its hash and once more for the evaluation, and between the two it may be changed and changed
/// back. What was evaluated would then be kept for other contents, and deployed for them:
/// `a-tree-that-is-changed-while-it-is-evaluated-is-not-kept` proves it.
enum TreeMeanwhile {
    /// The reference is locked.
    Clean,
    /// The files before Nix reads them again.
    Followed(Snapshot),
    /// Nothing is known of it.
    NotFollowed,
}

impl TreeMeanwhile {
    async fn begin(metadata: &Metadata) -> Self {
        if metadata.is_clean() {
            return Self::Clean;
        }
        let place = folder(&metadata.resolved_url).zip(metadata.tree.as_ref());
        let Some((folder, copy)) = place.filter(|_| metadata.is_known()) else {
            return Self::NotFollowed;
        };
        Snapshot::take(&folder, copy).await.map_or(Self::NotFollowed, Self::Followed)
    }

    /// Whether the tree still had the same contents when the files were looked at. This goes on
    /// beside the evaluation.
    async fn is_same(&self, nix: &Nix, flake: &str, metadata: &Metadata) -> bool {
        match self {
            Self::Clean => true,
            Self::Followed(_) => nix.metadata(flake).await.is_ok_and(|again| again == *metadata),
            Self::NotFollowed => false,
        }
    }

    /// Whether no file was changed since.
    fn still_holds(&self) -> bool {
        match self {
            Self::Clean => true,
            Self::Followed(before) => before.still_holds(),
            Self::NotFollowed => false,
        }
    }
}

fn too_old(version: &str) -> Box<Failure> {
    let (major, minor) = OLDEST;
    Failure::unchanged(format!("{version} is too old"))
        .because(format!("flakes are evaluated with what Nix has since {major}.{minor}"))
        .hint(Some("docs/nix-versions.md says which command needs which Nix".into()))
}

impl Metadata {
    /// The reference to evaluate. A clean tree has a locked reference, so that the kept evaluation
    /// matches it; a dirty tree has none.
    fn url_or(&self, flake: &str) -> String {
        if self.is_clean() { self.url.clone() } else { flake.to_owned() }
    }
}

/// The possible machine names of each word, the likeliest first.
fn candidates(names: &[Word]) -> Vec<Vec<String>> {
    names.iter().map(|name| name.meanings().map(|(machine, _)| machine).collect()).collect()
}
