//! The output of a login: start-up files, the greeting, and the machine's files in it.

use deploy_wire::sealed;
use tokio::io::BufReader;

use crate::{
    report::{Format, shown},
    stages::ask::printed,
    tools::{
        answer::Answer,
        damage::{Random, damage, is_harmless},
        shell::BEGINS,
        ssh::login::greeted,
    },
};

const RECORD: &str = include_str!("../../../../wire/golden/message/record.json");
const CONFIRMED: &str = include_str!("../../../../wire/golden/message/confirmed.json");
const GRUB: &str = "set default=0\nmenuentry 'NixOS' {\n  linux /kernel init=/nix/store/a/init\n}";

fn file(name: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("|{line}\n")).collect();
    format!("@file {name}\n{lines}@endfile\n")
}

/// An output of `ask.sh`.
fn greeting() -> String {
    let system = "/nix/store/00000000000000000000000000000000-nixos-system-frame1-26.05";
    let sealed = |text: &str| {
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        String::from_utf8(sealed::seal(&document).unwrap()).unwrap()
    };
    let words = format!(
        "welcome to frame1\n{BEGINS}\n@login 10.0.0.2 50000 10.0.0.1 22\n@shell /bin/bash\n@root uid0\n\
         @machine x86_64\n@host frame1\n@machineId 0123456789abcdef0123456789abcdef\n\
         @runs {system}\n@booted {system}\n@profile system-41-link\n@profileSystem {system}\n\
         @nix /run/current-system/sw/bin/nix-daemon\n@env /usr/bin/env\n@now 1700000000\n\
         @free /dev/sda1 1000000 400000 600000 40% /nix\n@booted-kernel {system}\n\
         @efi LoaderEntryDefault-4a67b082\n@LoaderEntryDefault nixos-generation-41.conf\n\
         @systemdBootImages a.efi/b.efi/\n"
    );
    let files = [
        file("grub", GRUB),
        file("systemdBoot", "timeout 5\ndefault nixos-generation-41.conf"),
        file("systemdBootEntries", "/boot/loader/entries/nixos-generation-41.conf:title NixOS"),
        file("attempt", &sealed(RECORD)),
        file("confirmed", &sealed(CONFIRMED)),
    ];
    format!("{words}{}@facts end\n@end\n", files.concat())
}

pub async fn answers(times: u64) {
    let golden = greeting().into_bytes();
    let mut random = Random::new();
    let (mut whole, mut with_record) = (0, 0);
    for round in 0..times {
        let mut bytes = golden.clone();
        damage(&mut random, &mut bytes);
        let mut stdout = BufReader::with_capacity(1 + random.below(512), bytes.as_slice());
        let (report, written) = shown::report(Format::People);
        match greeted(&mut stdout).await {
            Ok(Ok(greeted)) => {
                let answer = Answer::read(&greeted.said);
                let noise = printed(&greeted.noise, answer.word("shell"));
                noise.into_iter().for_each(|noise| report.note("frame1", noise));
                if let Some(facts) = answer.facts() {
                    whole += 1;
                    with_record += u64::from(matches!(facts.attempt, Ok(Some(_))));
                    report.note("frame1", format!("{} {}", facts.host, facts.boots));
                    report.note("frame1", format!("{:?}", facts.attempt));
                }
            }
            Ok(Err(said)) => report.note("frame1", said),
            Err(error) => report.note("frame1", error.to_string()),
        }
        let shown = written();
        assert!(is_harmless(&shown), "{round}: {shown:?}");
    }
    assert!(whole > times / 10 && with_record > times / 10, "{whole} whole, {with_record}");
    assert!(whole < times, "no answer was damaged");
}
