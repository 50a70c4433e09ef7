//! What is printed, without what differs from run to run.

use std::sync::LazyLock;

use regex::Regex;
use similar::TextDiff;

use crate::case::Case;

/// What stands for what differs, and progress that depends on what was built and sent
/// before: those lines say nothing about a refusal.
static STAND_INS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"(?m)^\S+: (building \S+|pushed .*/s.*\))\n", ""),
        // Said where a case before, in the same lab, lost a push.
        (r"(?m)^\S+: what a lost connection may have left behind was not looked for: .*\n", ""),
        (r"(?m)^(kept evaluation|evaluated): (.*) \([0-9.]+ s\)$", "evaluated: $2"),
        (r"/nix/store/[0-9a-z]{32}-", "/nix/store/…-"),
        (r"\b(attempt|deploy-agent-)( ?)[0-9a-f]{8}\b", "$1$2…"),
        (r"/tmp/[.a-z-]*[A-Za-z0-9]{6,}", "/tmp/…"),
        (r"this one has [0-9a-f]{32}", "this one has …"),
        (r"since [0-9]+ s", "since … s"),
        (r"[0-9]+ KiB free", "… KiB free"),
        (r"version [0-9]+\.[0-9]+\.[0-9]+", "version …"),
    ]
    .map(|(pattern, words)| (Regex::new(pattern).expect("a pattern of ours"), words))
    .into()
});

/// `text` with stand-ins.
pub fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let text = STAND_INS
        .iter()
        .fold(text, |text, (pattern, words)| pattern.replace_all(&text, *words).into_owned());
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n", text.join("\n").trim())
}

/// What is wrong with how a case ended, if something is. With `UPDATE_REFUSALS` set, the
/// case's file is rewritten instead.
pub fn compare(case: &Case, exit: i32, said: &str) -> anyhow::Result<Option<String>> {
    let said = plain(said);
    if exit == case.text.exit && said == case.text.said {
        return Ok(None);
    }
    if std::env::var_os("UPDATE_REFUSALS").is_some() {
        case.expect(exit, &said)?;
        return Ok(None);
    }
    Ok(Some(format!(
        "`{}` ended with {exit}, expected {}\n{}",
        case.text.command,
        case.text.exit,
        difference("expected", &case.text.said, "printed", &said)
    )))
}

/// The lines in which two texts differ.
pub fn difference(left: &str, old: &str, right: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().header(left, right).to_string()
}
