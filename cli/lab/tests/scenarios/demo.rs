//! The facts of the demo, verified on the machine.

use anyhow::{Result, ensure};
use deploy_lab::demo;
use deploy_lab::hosts::Lab;

use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[Scenario::new("the-demo-shows-what-it-says", shows)];

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
