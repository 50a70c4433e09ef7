//! The facts of the demo, verified on the machine.

use anyhow::{Result, ensure};
use deploy_lab::demo;
use deploy_lab::hosts::Lab;

use crate::flake::agenix::missing;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("the-demo-shows-what-it-says", shows),
    Scenario::new("the-demo-of-secrets-shows-what-it-says-on-real-nixos", secrets).unless(missing),
];

fn shows(lab: &mut Lab) -> Result<()> {
    let mut screen = Vec::new();
    let mut acts = Vec::new();
    demo::play(lab, &mut screen, |demo, act| {
        let runs = demo.frame1.sh("cat /etc/generation; readlink /run/current-system")?;
        let boots = demo
            .frame1
            .sh("sed -n 's/.*init=\\([^ ]*\\)\\/init.*/\\1/p' /boot/grub/grub.cfg | head -n 1")?;
        let expected = format!("{}\n{boots}", act.generation);
        ensure!(runs == expected, "after {}: runs {runs}, boots {boots}", act.title);
        acts.push(act.clone());
        Ok(())
    })?;
    let screen = String::from_utf8(screen)?;
    let codes: Vec<_> = acts.iter().map(|act| act.code).collect();
    ensure!(codes == [Some(0), Some(0), Some(3), None, Some(0)], "{codes:?}\n{screen}");
    for (act, words) in acts.iter().zip([
        "committed generation 2",
        "already up to date",
        "frame1 was rolled back",
        "waiting for a new login to confirm",
        "committed generation 3",
    ]) {
        ensure!(act.said.contains(words), "{} did not say `{words}`:\n{}", act.title, act.said);
        for line in act.said.lines() {
            ensure!(screen.contains(line), "the screen lacks `{line}`");
        }
    }
    ensure!(
        screen.contains("restarted before"),
        "status does not tell of the power cut:\n{screen}"
    );
    Ok(())
}

fn secrets(lab: &mut Lab) -> Result<()> {
    let mut screen = Vec::new();
    let acts = demo::secrets::play(lab, &mut screen)?;
    let screen = String::from_utf8(screen)?;
    let codes: Vec<_> = acts.iter().map(|act| act.code).collect();
    ensure!(codes == [Some(1), Some(0), Some(0), Some(0), Some(0)], "{codes:?}\n{screen}");
    for (act, words) in acts.iter().zip([
        "a secret of frame1 was never made",
        "token",
        "new secrets: token",
        "changed secrets: token (restarts reader.service)",
        "frame1: committed",
    ]) {
        ensure!(act.said.contains(words), "{} did not say `{words}`:\n{}", act.title, act.said);
    }
    for line in ["-r--r----- reader reader /run/agenix/token", "  active"] {
        ensure!(screen.matches(line).count() == 2, "the screen lacks `{line}`:\n{screen}");
    }
    Ok(())
}
