//! The output of `deploy` on real terminals and in real pipes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Lab, Terminal, wait};
use deploy_lab::systems::{FOLDER, Fault, Fleet, Unit};
use serde_json::Value;

use crate::harness::Scenario;
use crate::scene::Scene;
use crate::ways::{end_with_colours, on_terminal, second};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-reader-that-goes-away-does-not-stop-the-deploy", reader_gone),
    Scenario::new("a-terminal-counts-down-to-the-second-and-keeps-no-moving-line", counts_down),
    Scenario::new("json-is-all-there-is-and-ends-with-the-exit-code", json),
    Scenario::new("what-ssh-says-during-a-login-is-shown", ssh_says),
    Scenario::new("what-changes-is-told-before-the-switch", changes),
];

const COLUMNS: u16 = 80;

fn reader_gone(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    for (number, reader, flags) in [(2, "head -n 1", ""), (3, "true", "--json")] {
        scene.wants(deploy_lab::systems::Generation::new("frame1", number))?;
        let wanted = scene.wanted()?;
        let line = format!(
            "cd {FOLDER}; {{ {DEPLOY} frame1 {flags} 2> /root/said; echo $? > /root/code; }} | {reader}"
        );
        let output = scene.mac.command(["sh", "-c", &line]).run()?;
        ensure!(output.stdout.lines().count() <= 1, "the reader stayed: {}", output.stdout);
        // The other end of the pipe is closed long before the switch.
        let (code, said) = (scene.mac.sh("cat /root/code")?, scene.mac.sh("cat /root/said")?);
        ensure!(code == "0" && said.is_empty(), "{reader}: exit code {code}, and it said: {said}");
        ensure!(scene.runs()? == wanted, "{reader}: frame1 runs {}", scene.runs()?);
    }
    let wanted = scene.wanted()?;
    scene.ends_on(&wanted)
}

/// The text on the terminal now, and its moving line.
fn screen(terminal: &Terminal, columns: u16) -> Result<String> {
    let mut parser = vt100::Parser::new(50, columns, 0);
    parser.process(terminal.shown()?.as_bytes());
    Ok(parser.screen().contents())
}

/// The seconds in the moving line.
fn seconds_left(terminal: &Terminal) -> Result<Option<u64>> {
    let screen = screen(terminal, COLUMNS)?;
    let line = screen.lines().find(|line| line.contains("waiting for a new login"));
    let left = line.and_then(|line| line.rsplit_once('('));
    Ok(left.and_then(|(_, text)| text.strip_suffix(" s left)")?.parse().ok()))
}

fn counts_down(lab: &mut Lab) -> Result<()> {
    const LIMIT: u64 = 12;
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    // No login can confirm, so the machine rolls back after these seconds.
    let generation = second().with(&Fault::RefusedLogins);
    scene.has(Fleet::of("frame1", generation).node("frame1", "confirmTimeout", LIMIT))?;
    let terminal = on_terminal(&scene.mac, "frame1")?;
    terminal.resize(COLUMNS)?;
    let at =
        |second: u64| -> Result<Instant> {
            let what = format!("{second} seconds are left");
            wait::until(&what, Duration::from_secs(90), || {
                Ok(seconds_left(&terminal)? == Some(second))
            })
            .with_context(|| terminal.shown().unwrap_or_default())?;
            Ok(Instant::now())
        };
    let (eight, three) = (at(8)?, at(3)?);
    let took = three.duration_since(eight).as_secs_f64();
    ensure!((4.0..=6.0).contains(&took), "5 seconds of the countdown took {took} s");
    // The window becomes narrower during the deploy. The moving line must fit.
    terminal.resize(30)?;
    at_narrow(&terminal)?;
    terminal.resize(COLUMNS)?;
    wait::until("it goes back", Duration::from_secs(30), || {
        Ok(terminal.shown()?.contains("rolling back"))
    })?;
    let late = three.elapsed().as_secs_f64();
    ensure!((2.0..=5.0).contains(&late), "with 3 s left it went back after {late} s");
    let said = end_with_colours(terminal)?;
    said.ends(3, &["\x1b[31merror:\x1b[0m frame1 was rolled back"])?;
    let mut parser = vt100::Parser::new(50, COLUMNS, 0);
    parser.process(said.text.as_bytes());
    let last = parser.screen().contents();
    ensure!(!last.contains(" left)"), "a moving line is left behind:\n{last}");
    ensure!(last.contains("\nerror: frame1 was rolled back\n"), "{last}");
    let state = "  state: back on generation 1 (the baseline: nothing was confirmed yet)";
    ensure!(last.contains(&state[..60]), "{last}");
    scene.ends_on(&one)?;
    without_colours(&scene)
}

fn at_narrow(terminal: &Terminal) -> Result<()> {
    let before = terminal.shown()?.len();
    wait::until("it is drawn anew", Duration::from_secs(10), || {
        Ok(terminal.shown()?.len() > before + 200)
    })?;
    let shown = terminal.shown()?;
    // The first line may have been drawn for the old width.
    let last = shown.rsplit("\r\x1b[K").next().unwrap_or_default();
    ensure!(last.trim().chars().count() < 30, "it is wider than the window: {last:?}");
    Ok(())
}

/// Colours appear only on terminals that want them.
fn without_colours(scene: &Scene) -> Result<()> {
    scene.wants(second())?;
    for variable in ["NO_COLOR=1", "CLICOLOR=0", "TERM=dumb"] {
        let script =
            format!("cd {FOLDER}; {variable} exec {DEPLOY} plan frame1 --hostname nowhere");
        let plain = scene.mac.command(["sh", "-c", &script]).on_terminal()?;
        let said = end_with_colours(plain)?;
        said.ends(6, &["error: cannot log in to frame1"])?;
        ensure!(!said.text.contains("\x1b[31m"), "{variable}: {:?}", said.text);
        if variable == "TERM=dumb" {
            ensure!(!said.text.contains('\x1b'), "{variable}: {:?}", said.text);
        }
    }
    Ok(())
}

fn json(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let run = |args: &str, code: i32| -> Result<Vec<Value>> {
        let script = format!("cd {FOLDER}; exec {DEPLOY} {args} --json");
        let output = scene.mac.command(["sh", "-c", &script]).run()?;
        ensure!(output.code == code, "{args}: exit code {}: {}", output.code, output.stdout);
        ensure!(output.stderr.is_empty(), "{args} wrote to stderr: {}", output.stderr);
        let read = |line: &str| serde_json::from_str(line).with_context(|| line.to_owned());
        output.stdout.lines().map(read).collect()
    };
    scene.wants(second())?;
    let events = run("frame1", 0)?;
    let kinds: Vec<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    for kind in ["evaluated", "stage", "changes", "agent", "login", "finished"] {
        ensure!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    let (finished, last) = (&events[events.len() - 2], &events[events.len() - 1]);
    ensure!(finished["ending"] == "committed" && finished["failure"].is_null(), "{finished}");
    ensure!(finished["runs"] == scene.runs()?.as_str(), "{finished}");
    ensure!(finished["boots"] == finished["runs"] && finished["confirmed"] == true, "{finished}");
    ensure!(last["event"] == "ended" && last["exitCode"] == 0, "{last}");
    // Errors are JSON documents as well.
    let events = run("frame1 --hostname nowhere", 1)?;
    let failure = &events[events.len() - 2]["failure"];
    ensure!(failure["what"] == "cannot log in to frame1", "{events:?}");
    ensure!(failure["stateIs"] == "unchanged", "{events:?}");
    let events = run("frame7", 1)?;
    ensure!(events[events.len() - 2]["event"] == "failed", "{events:?}");
    ensure!(events[events.len() - 1]["exitCode"] == 1, "{events:?}");
    Ok(())
}

/// Tests both logins: the first one, and the one that confirms.
fn ssh_says(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let said = scene.deploy("frame1 --ssh-opts -v")?;
    said.ends(0, &["frame1: debug1: Connecting to frame1", "frame1: committed"])?;
    let logins = said.text.matches("frame1: debug1: Connecting to frame1").count();
    ensure!(logins == 2, "ssh was heard in {logins} logins:\n{}", said.text);
    // The last output of ssh is the reason for its end, and is reported once.
    let said = scene.deploy("frame1 --hostname nowhere")?;
    let words = said.text.matches("Could not resolve hostname").count();
    ensure!(words == 1, "told {words} times:\n{}", said.text);
    Ok(())
}

fn changes(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let unit = |text: &str| Unit::service(&format!("ExecStart=/bin/sleep {text}"));
    let two = second().unit("stays.service", unit("100")).unit("goes.service", unit("100"));
    scene.wants(two.unit("other.service", unit("100")))?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["new units: goes.service, other.service, stays.service"])?;
    let three = deploy_lab::systems::Generation::new("frame1", 3)
        .unit("stays.service", unit("100"))
        .unit("other.service", unit("200"))
        .unit("off.service", unit("100"));
    scene.wants(three)?;
    let said = scene.deploy("frame1")?;
    said.ends(
        0,
        &[
            "new units: off.service\n",
            "changed units: other.service\n",
            "removed units: goes.service\n",
        ],
    )?;
    let at = |text: &str| said.text.find(text).unwrap_or(usize::MAX);
    ensure!(at("changed units") < at("activating"), "told too late:\n{}", said.text);
    Ok(())
}
