//! How the operator of a cell logs in, and which program handles the login.

use anyhow::Result;
use deploy_lab::tables::fault_table::Fault;
use deploy_lab::tables::fault_table::peer::Row;

use crate::scene::Scene;

/// Settings by which the operator's ssh notices a dead connection. They are those that `deploy`
/// uses; deploy-rs sets none and would wait for TCP's timeout.
const NOTICES: &str = "Host *\n  ServerAliveInterval 5\n  ServerAliveCountMax 3\n";

/// Settings by which ssh also keeps its connections.
const KEEPS: &str = "  ControlMaster auto\n  ControlPath ~/.ssh/kept-%C\n  ControlPersist yes\n";

/// Handles logins instead of sshd: once a confirmation is carried out, it delays the answer.
const SERVE: &str = "case $SSH_ORIGINAL_COMMAND in
  'rm /tmp/deploy-rs-canary-'*)
    sh -c \"$SSH_ORIGINAL_COMMAND\"
    code=$?
    echo answer > /run/hold/answer.at
    read -r _ < /run/hold/answer.go
    exit \"$code\" ;;
esac
exec sh -c \"$SSH_ORIGINAL_COMMAND\"";

/// Sets up what a row needs in addition to the keys.
pub fn arrange(scene: &Scene, row: Row) -> Result<()> {
    let keeps = if row == Row::NoNewLoginsKept { KEEPS } else { "" };
    // TCP retries after 1, 3, 7 and 15 s. A login that must arrive late arrives with the last
    // retry.
    let connect = if row == Row::NetworkBackLate { 20 } else { 10 };
    let config = format!("{NOTICES}  ConnectTimeout {connect}\n{keeps}");
    scene.mac.write("/root/.ssh/config", config, 0o600)?;
    if row == Row::NoNewLoginsKept {
        // Nix waits for a line from the login that opens the connection, and can miss it.
        scene.mac.sh("ssh frame1 true")?;
    }
    if row == Row::Of(Fault::AnswerLost) {
        let file = "/root/.ssh/authorized_keys";
        let keys = scene.frame1.read(file)?;
        let served = keys.lines().map(|key| format!("command=\"sh /root/serve\" {key}\n"));
        scene.frame1.write(file, served.collect::<String>(), 0o600)?;
        scene.frame1.write("/root/serve", SERVE, 0o600)?;
    }
    Ok(())
}
