//! The demo of secrets: from a declaration to a service that runs with one, and a change. The
//! scenario `the-demo-of-secrets-shows-what-it-says-on-real-nixos` verifies the facts.

use std::io::Write;

use anyhow::Result;

use super::{Act, Demo};
use crate::hosts::Lab;
use crate::systems::{AgenixFleet, FOLDER, REAL};

/// Where the changed secret's text is on the operator's computer.
const WORD: &str = "/root/new-word";

/// Runs all acts.
///
/// # Errors
/// When the lab does not do what it should.
pub fn play(lab: &mut Lab, out: &mut dyn Write) -> Result<Vec<Act>> {
    let mac = lab.prepared(&REAL, "mac")?;
    let frame1 = lab.prepared(&REAL, "frame1")?;
    let mut demo = Demo { mac, frame1, out };
    demo.switch_on()?;
    let acts = [Demo::declared, Demo::made, Demo::deployed, Demo::edited, Demo::changed];
    acts.iter().map(|act| act(&mut demo)).collect()
}

impl Demo<'_> {
    fn declared(&mut self) -> Result<Act> {
        self.act("1. The service `reader` declares a secret that nobody has made.")?;
        self.has(2)?;
        self.said("a missing secret", "deploy frame1", 1)
    }

    fn made(&mut self) -> Result<Act> {
        self.act("2. It makes itself, by the generator that its declaration has.")?;
        let act = self.said("a secret is made", "deploy secrets new frame1 --generate", 1)?;
        self.commit()?;
        Ok(act)
    }

    fn deployed(&mut self) -> Result<Act> {
        self.act("3. The deploy tries to decrypt it before the switch, and looks at it after.")?;
        let act = self.said("the first secret", "deploy frame1", 2)?;
        self.shown()?;
        Ok(act)
    }

    fn edited(&mut self) -> Result<Act> {
        self.act("4. Another text; the plan says which unit it restarts.")?;
        self.mac.sh(&format!("printf another-word > {WORD}"))?;
        self.run(&format!("deploy secrets edit token --from {WORD}"))?;
        self.commit()?;
        self.said("a changed secret", "deploy plan frame1", 2)
    }

    fn changed(&mut self) -> Result<Act> {
        self.act("5. The service runs with it.")?;
        let act = self.said("the changed secret", "deploy frame1", 2)?;
        self.shown()?;
        Ok(act)
    }

    fn has(&self, number: u32) -> Result<()> {
        AgenixFleet::new(number, ["token"]).write(&self.mac, &self.frame1)
    }

    fn said(&mut self, title: &'static str, line: &str, generation: u32) -> Result<Act> {
        let (code, said) = self.run(line)?;
        self.tell(&format!("(exit code {code})"))?;
        Ok(Act { title, code: Some(code), said, generation })
    }

    fn commit(&mut self) -> Result<()> {
        self.tell("mac$ git add secrets; git commit --message secrets")?;
        let git = "git -c user.name=operator -c user.email=operator@mac";
        self.mac.sh(&format!("cd {FOLDER}; git add secrets; {git} commit --quiet -m secrets"))?;
        Ok(())
    }

    fn shown(&mut self) -> Result<()> {
        for line in ["stat -L -c '%A %U %G %n' /run/agenix/token", "systemctl is-active reader"] {
            self.tell(&format!("frame1# {line}"))?;
            let said = self.frame1.sh(line)?;
            self.tell(&format!("  {said}"))?;
        }
        Ok(())
    }
}
