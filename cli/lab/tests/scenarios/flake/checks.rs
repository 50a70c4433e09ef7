//! Checks that the flake's services declare decide over the deploy. One check of each kind is
//! tested.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{HOMELAB, Homelab, StubFault};

use super::Home;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-service-s-unit-that-is-not-active-brings-frame1-back", unit)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-service-s-port-that-is-closed-brings-frame1-back", tcp)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-service-that-answers-with-another-status-brings-frame1-back", http)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-site-that-the-proxy-does-not-answer-brings-frame1-back", site)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-certificate-of-another-issuer-brings-frame1-back", certificate)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-certificate-that-is-late-is-reported-and-frame1-stays", late)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-certificate-that-has-passed-once-decides-from-then-on", passed_once)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-service-s-command-that-fails-brings-frame1-back", command)
        .unless(|| HOMELAB.missing()),
];

const CERTIFICATE: &str = "grafana.certificate.grafana.local.kaifer.dev";
const OTHER_ISSUER: &str = "issued by CN=Another Authority,O=Another Authority, \
                            `Let's Encrypt` is expected";

fn unit(lab: &mut Lab) -> Result<()> {
    let check = "vmalert.unit.vmalert-homelab.service";
    let flake = Homelab::default().fault(check, StubFault::Stopped);
    comes_back(lab, &flake, check, "vmalert-homelab.service is inactive")
}

fn tcp(lab: &mut Lab) -> Result<()> {
    let check = "caddy.health.http";
    let flake = Homelab::default().fault(check, StubFault::Stopped);
    comes_back(lab, &flake, check, "127.0.0.1:80: Connection refused")
}

fn http(lab: &mut Lab) -> Result<()> {
    let check = "vmalert.health.api";
    let flake = Homelab::default().fault(check, StubFault::Wrong);
    comes_back(lab, &flake, check, "status 503, 200 is expected")
}

fn site(lab: &mut Lab) -> Result<()> {
    let check = "loki.site.logs.local.kaifer.dev";
    let flake = Homelab::default().fault(check, StubFault::Stopped);
    comes_back(lab, &flake, check, "status 404, 200 is expected")
}

fn certificate(lab: &mut Lab) -> Result<()> {
    let flake = services("tls = {", "tls = {\n      checkLevel = \"required\";");
    let flake = flake.fault(CERTIFICATE, StubFault::Wrong);
    comes_back(lab, &flake, CERTIFICATE, OTHER_ISSUER)
}

fn late(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default().fault(CERTIFICATE, StubFault::Wrong))?;
    let told = format!("advisory check {CERTIFICATE} fails: {OTHER_ISSUER}");
    home.deploy("frame1")?.ends(0, &["frame1: committed", &told])
}

/// Deploys the same system three times. Only the certificate of the stub differs.
fn passed_once(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    let wrong = Homelab::default().fault(CERTIFICATE, StubFault::Wrong);
    home.has(&wrong)?;
    let late = format!("advisory check {CERTIFICATE} fails: {OTHER_ISSUER}");
    home.deploy("frame1")?.ends(0, &["frame1: committed", &late])?;
    home.has(&Homelab::default())?;
    home.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let issued = home.runs()?;
    home.has(&wrong)?;
    let gate = format!("check {CERTIFICATE} fails: {OTHER_ISSUER}");
    home.deploy("frame1")?.ends(3, &["frame1 was rolled back", &gate])?;
    home.ends_on(&issued)
}

fn command(lab: &mut Lab) -> Result<()> {
    let check = "tailscale.health.online";
    // As declared, the check is `advisory` and has two minutes.
    let flake = services(
        "caddy.enable = true;",
        "caddy.enable = true;\n      tailscale.health.online = {\n      \
         level = lib.mkForce \"required\";\n      grace = lib.mkForce 5;\n    };",
    );
    let flake = flake.edit("machines/frame1/services.nix", "let\n", "{ lib, ... }:\nlet\n");
    comes_back(lab, &flake.fault(check, StubFault::Wrong), check, "status 1")
}

fn services(old: &str, new: &str) -> Homelab {
    Homelab::default().edit("machines/frame1/services.nix", old, new)
}

/// Deploys `flake`. The check `check` fails with `said`, and frame1 returns to its previous system.
fn comes_back(lab: &mut Lab, flake: &Homelab, check: &str, said: &str) -> Result<()> {
    let home = Home::new(lab)?;
    let before = home.runs()?;
    home.has(flake)?;
    let told = format!("check {check} fails: {said}");
    home.deploy("frame1")?.ends(3, &["frame1 was rolled back", &told])?;
    ensure!(!home.wanted()?.is_empty() && home.wanted()? != before, "nothing was to be deployed");
    home.ends_on(&before)
}
