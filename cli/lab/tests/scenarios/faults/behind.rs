//! Changes to the machine without `deploy`. The next deploy notices them and corrects them.

use anyhow::{Context, Result};

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;

pub const ALL: &[Scenario] =
    on_both_lanes!["what-was-changed-behind-its-back-is-noticed" => noticed];

fn noticed(case: &Case) -> Result<()> {
    let wanted = case.wants(&Wanted::new(2))?;
    case.commits()?;
    let before = &case.before;
    let switch = format!("{before}/bin/switch-to-configuration");
    let changes = [
        ("what runs", format!("{switch} test")),
        ("the profile", format!("nix-env --profile /nix/var/nix/profiles/system --set {before}")),
        ("the boot default", format!("{switch} boot")),
    ];
    for (what, change) in changes {
        let noticed = || -> Result<()> {
            case.deploy("frame1")?.ends(0, &["already up to date"]).context("before")?;
            case.frame1.sh(&change)?;
            case.deploy("frame1")?.ends(0, &["frame1: committed"])?;
            case.deploy("frame1")?.ends(0, &["already up to date"]).context("after")?;
            case.ends_on(&wanted)
        };
        noticed().with_context(|| format!("{what} was changed"))?;
    }
    Ok(())
}
