//! A hostile user without rights on the machine, and servers that answer slowly. Neither prevents a
//! rollback.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Admission, Lab};
use deploy_lab::systems::Lane;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use serde_json::json;

use super::case::Case;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::hostile::{OPEN, User};
use crate::scene::end;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-user-who-holds-every-lock-keeps-no-machine-from-going-back", locks),
    Scenario::new("a-check-that-never-ends-does-not-keep-a-machine-from-going-back", drips),
];

fn locks(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(6)))?;
    case.frame1.sh(OPEN)?;
    let user = User::begin(&case.frame1)?;
    case.begin_waiting()?.kill()?;
    let begun = Instant::now();
    case.reaches(Phase::Ended)?;
    ensure!(begun.elapsed() < Duration::from_secs(45), "it took {:?}", begun.elapsed());
    case.recorded(End::RolledBack, "no new SSH login confirmed within 6 s")?;
    let locks = user.locks()?;
    ensure!(locks.len() == 3, "he holds not what an older agent had left him: {locks:?}");
    let open = "find /nix/var/deploy-agent /run/deploy-agent ! -type l -perm /077 \
                ; find /run/nixos/switch-to-configuration.lock -perm /077";
    let open = case.frame1.sh(open)?;
    ensure!(open.is_empty(), "others can open {open}");
    case.frame1.admit(Admission::All)?;
    case.ends_on(&case.before)?;
    user.is_at_work()?;
    case.frame1.sh(OPEN)?;
    case.commits()
}

/// Answers at once, until it is told to send one byte per second.
const SERVER: &str = r#"
use IO::Socket::INET;
$SIG{PIPE} = "IGNORE";
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8080, Listen => 50, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  next if fork;
  $client->autoflush(1);
  <$client>;
  if (-e "/run/drips") { for (1 .. 200) { print $client "H" or last; sleep 1 } }
  print $client "HTTP/1.0 200 OK\r\n\r\n";
  exit;
}"#;

fn drips(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    let kind = json!({ "type": "http", "address": "127.0.0.1", "port": 8080 });
    let check = json!([{ "name": "web", "service": "lab", "grace": 1, "kind": kind }]);
    let _server = case.frame1.command(["perl", "-e", SERVER]).spawn()?;
    case.wants(&Wanted::new(2).node("checks", check).node("units", json!({ "watch": 1 })))?;
    let running = case.begin_waiting()?;
    case.frame1.sh("touch /run/drips")?;
    case.frame1.admit(Admission::All)?;
    let begun = Instant::now();
    let why = "check web fails: it did not answer";
    end(running)?.ends(3, &["frame1 was rolled back", why])?;
    ensure!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
    case.recorded(End::RolledBack, why)?;
    case.ends_on(&case.before)
}
