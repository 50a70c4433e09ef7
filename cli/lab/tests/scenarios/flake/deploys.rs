//! `deploy frame1` from the flake, from the first deploy to one without changes.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, access};
use deploy_lab::systems::{BASELINE, HOMELAB, Homelab, frame1};

use super::{Home, named_checks, passed_checks};
use crate::harness::Scenario;

pub const ALL: &[Scenario] =
    &[Scenario::new("the-first-deploy-of-frame1-commits-when-all-its-checks-pass", first)
        .unless(|| HOMELAB.missing())];

fn first(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&HOMELAB, "mac")?;
    let frame1 = lab.prepared_as(&BASELINE, "frame1", frame1()?)?;
    let home = Home::on(mac, frame1)?;
    access::connect(&home.mac, &home.frame1)?;
    home.has(&Homelab::default())?;
    let said = home.deploy("frame1 --json")?;
    said.ends(0, &[])?;
    let (passed, mut named) = (passed_checks(&said.text), home.checks()?);
    // The agent adds one for each secret.
    let name = "node: map (secret: { name = \"secret.${secret.name}\"; }) node.secrets";
    named.extend(named_checks(&home.eval("deploy.nodes.frame1", name)?)?);
    ensure!(passed == named, "of {named:?} only these passed: {passed:?}");
    ensure!(home.frame1.sh("cat /run/agenix/restic-password")? == "nixos", "no secrets");
    home.deploy("frame1")?.ends(0, &["already up to date"])?;
    home.ends_on(&home.wanted()?)
}
