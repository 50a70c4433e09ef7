//! The output of Nix about a machine. The machine's own Nix forwards its log, and its programs
//! write to the same stream.

use crate::{
    report::{Event, Format, shown},
    tools::{
        damage::{Random, damage, is_harmless},
        nix::log::Reader,
        process::ProcessError,
    },
};

const LOG: &str = r#"@nix {"action":"start","id":7,"level":5,"text":"copying","type":100,"fields":["/nix/store/a","local","ssh-ng://frame1"]}
@nix {"action":"result","id":7,"type":105,"fields":[100,1000,0,0]}
@nix {"action":"start","id":8,"level":5,"text":"","type":104}
@nix {"action":"result","id":8,"type":105,"fields":[1,9,0,0]}
@nix {"action":"start","id":9,"level":3,"text":"building","type":105,"fields":["/nix/store/a.drv","",1,1]}
@nix {"action":"result","id":9,"type":101,"fields":["a line of a build"]}
@nix {"action":"result","id":7,"type":105,"fields":[1000,1000,0,0]}
@nix {"action":"start","id":10,"level":5,"text":"copying","type":100,"fields":["/nix/store/b"]}
@nix {"action":"result","id":10,"type":105,"fields":[18446744073709551615,18446744073709551615,0,0]}
warning: ignoring the client-specified setting 'x', because it is a restricted setting and you are not a trusted user
@nix {"action":"msg","level":0,"msg":"error: cannot add path"}
sudo: a password is required
"#;

pub async fn logs(times: u64) {
    let mut random = Random::new();
    let mut shows = 0;
    for round in 0..times {
        let mut bytes = LOG.as_bytes().to_vec();
        damage(&mut random, &mut bytes);
        let (report, written) = shown::report(random.one_of(&[Format::People, Format::Json]));
        let mut reader = Reader::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Some(progress) = reader.line(&String::from_utf8_lossy(line)) {
                shows += 1;
                report.tell(Event::Push { machine: "frame1".into(), progress, carried: None });
            }
        }
        let ended = ProcessError::Lost { program: "nix".into(), source: std::io::Error::other("") };
        report.note("frame1", reader.failure(&ended).to_string());
        reader.ignored().into_iter().for_each(|line| report.note("frame1", line));
        let shown = written();
        assert!(is_harmless(&shown), "{round}: {shown:?}");
    }
    assert!(shows > times, "{shows} lines meant something");
}
