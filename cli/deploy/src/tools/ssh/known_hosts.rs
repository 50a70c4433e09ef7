//! A machine's host key in the user's known_hosts.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use deploy_wire::machine::Ssh;

use super::host_key::{Configured, KnownAs, known};
use crate::tools::{private, process::Invocation};

/// Records that `ssh` leads to the machine with this key, and removes other keys for the same name.
/// Returns the file; `None` if the user's ssh has no such file, or knew the key already. The error says
/// why it is not recorded.
pub async fn record(ssh: &Ssh, key: &str) -> Result<Option<PathBuf>, String> {
    let configured = Configured::of(ssh).await;
    if known(ssh, key).await == KnownAs::Same {
        return Ok(None);
    }
    let Some(file) = configured.own else { return Ok(None) };
    let told = |error: io::Error| format!("{}: {error}", file.display());
    if file.exists() {
        // It keeps what was there as FILE.old.
        let removes = Invocation::new("ssh-keygen").args(["-R", &configured.name, "-f"]).arg(&file);
        removes.output().await.map_err(|error| error.stderr().trim().to_owned())?;
    }
    let line = format!("{} {key}\n", configured.name);
    let line = if configured.hashes { hashed(&line).await? } else { line };
    append(&file, &line).map_err(told)?;
    Ok(Some(file))
}

/// The line with a hash in place of the name, for users whose known_hosts is to name nobody.
async fn hashed(line: &str) -> Result<String, String> {
    let folder = private::for_this_run().map_err(|error| error.to_string())?;
    let file = folder.path().join("known_hosts");
    fs::write(&file, line).map_err(|error| error.to_string())?;
    let hashes = Invocation::new("ssh-keygen").args(["-H", "-f"]).arg(&file);
    hashes.output().await.map_err(|error| error.stderr().trim().to_owned())?;
    fs::read_to_string(&file).map_err(|error| error.to_string())
}

fn append(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let before = fs::read(file).unwrap_or_default();
    let mut open = OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    // A file may end without a line's end.
    if before.last().is_some_and(|last| *last != b'\n') {
        open.write_all(b"\n")?;
    }
    open.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmsSt1Tzt05/N8eZL3h1y9bk4fLlirY0Dt6TqoiVFGL";

    fn ssh(file: &Path, more: &str) -> Ssh {
        let options = format!("-o UserKnownHostsFile={} {more}", file.display());
        Ssh {
            hostname: "frame1.test".into(),
            addresses: Vec::new(),
            port: None,
            user: None,
            opts: options.split_whitespace().map(str::to_owned).collect(),
            host_key: None,
        }
    }

    #[tokio::test]
    async fn a_new_key_takes_the_place_of_the_old_one_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_hosts");
        fs::write(&file, format!("frame1.test {OTHER}\nframe2.test {OTHER}")).unwrap();
        let plain = "-o HashKnownHosts=no";
        assert_eq!(record(&ssh(&file, plain), KEY).await.unwrap(), Some(file.clone()));
        let now = fs::read_to_string(&file).unwrap();
        assert_eq!(now, format!("frame2.test {OTHER}\nframe1.test {KEY}\n"));
        assert_eq!(record(&ssh(&file, plain), KEY).await.unwrap(), None);
        assert_eq!(fs::read_to_string(&file).unwrap(), now);
    }

    #[tokio::test]
    async fn a_first_key_is_recorded_as_the_user_s_ssh_would() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ssh/known_hosts");
        record(&ssh(&file, "-o HashKnownHosts=yes -p 2222"), KEY).await.unwrap();
        let now = fs::read_to_string(&file).unwrap();
        assert!(now.starts_with("|1|") && now.ends_with(&format!(" {KEY}\n")), "{now}");
        let found = Invocation::new("ssh-keygen").args(["-F", "[frame1.test]:2222", "-f"]);
        assert!(found.arg(&file).output().await.is_ok(), "{now}");
    }
}
