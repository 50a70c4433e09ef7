//! Machines with damaged answers: ten thousand conversations of each kind, and a million in
//! `scripts/soak`. Each conversation ends within its bytes, and its output is harmless to a
//! terminal.

mod agent;
mod login;
mod nix;

use crate::tools::damage::{MILLION, TIMES};

#[tokio::test]
async fn ten_thousand_mutated_conversations_end_and_are_told_harmlessly() {
    agent::conversations(TIMES).await;
}

#[tokio::test]
#[ignore = "left to scripts/soak: a million conversations take minutes"]
async fn a_million_mutated_conversations_end_and_are_told_harmlessly() {
    agent::conversations(MILLION).await;
}

#[tokio::test]
async fn ten_thousand_mutated_logins_end_and_are_told_harmlessly() {
    login::answers(TIMES).await;
}

#[tokio::test]
#[ignore = "left to scripts/soak: a million conversations take minutes"]
async fn a_million_mutated_logins_end_and_are_told_harmlessly() {
    login::answers(MILLION).await;
}

#[tokio::test]
async fn ten_thousand_mutated_logs_of_nix_end_and_are_told_harmlessly() {
    nix::logs(TIMES).await;
}

#[tokio::test]
#[ignore = "left to scripts/soak: a million conversations take minutes"]
async fn a_million_mutated_logs_of_nix_end_and_are_told_harmlessly() {
    nix::logs(MILLION).await;
}
