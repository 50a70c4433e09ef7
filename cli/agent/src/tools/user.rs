//! Other users of the machine, and programs that run as them.

use std::{fmt, fs, path::Path, process::Command, time::Duration};

use anyhow::{Result, bail};

use super::{
    command::path,
    process::{self, Ran},
};

/// How long looking up a user may take. The name service may be on the network.
const LIMIT: Duration = Duration::from_secs(10);
/// getent's exit status for a missing name.
const NOT_FOUND: i32 = 2;

/// A user as `getent passwd` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
    pub shell: String,
}

/// Looks up a user; `None` if the name does not exist.
pub fn find(name: &str) -> Result<Option<User>> {
    let mut command = Command::new(process::find("getent", &[]));
    let ran = process::run(command.args(["--", "passwd", name]), LIMIT)?;
    match ran.status {
        Some(0) => match read(&ran.out) {
            // getent also accepts a number, and answers with another name.
            Some(user) if user.name == name => Ok(Some(user)),
            _ => Ok(None),
        },
        Some(NOT_FOUND) => Ok(None),
        _ => bail!("getent passwd {name} failed: {}", ran.last_words()),
    }
}

/// A database of names and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    Passwd,
    Group,
}

impl Database {
    fn word(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::Group => "group",
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passwd => "user",
            Self::Group => "group",
        })
    }
}

/// The number of a user or group, by its name or as chown reads it; `None` if the name does not
/// exist. The name service is asked only for what the machine's own file lacks, because that starts a
/// program, and a check asks every second.
pub fn id_of(database: Database, name: &str) -> Result<Option<u32>> {
    let own = fs::read_to_string(format!("/etc/{}", database.word())).unwrap_or_default();
    if let Some(id) = own.lines().find_map(|line| id_in(line, name)) {
        return Ok(Some(id));
    }
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    let mut command = Command::new(process::find("getent", &[]));
    let ran = process::run(command.args(["--", database.word(), name]), LIMIT)?;
    match ran.status {
        Some(0) => Ok(ran.out.lines().find_map(|line| id_in(line, name))),
        Some(NOT_FOUND) => Ok(None),
        _ => bail!("getent {} {name} failed: {}", database.word(), ran.last_words()),
    }
}

/// The number in a line `NAME:x:NUMBER:…` of either database, if it is about `name`.
fn id_in(line: &str, name: &str) -> Option<u32> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    fields.nth(1)?.parse().ok()
}

/// Parses `joe:x:1000:100:Joe:/home/joe:/bin/sh`.
fn read(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.lines().next()?.split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields.as_slice() else { return None };
    Some(User {
        name: (*name).to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: (*home).to_owned(),
        shell: (*shell).to_owned(),
    })
}

impl User {
    /// A program that runs as this user, without the agent's environment. It also loses root's
    /// groups, not only root's user id: `a-profile-of-a-user-runs-as-that-user-alone` proves it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = if self.uid == 0 {
            Command::new(program)
        } else {
            let mut command = Command::new(process::find("setpriv", &[]));
            command.args([format!("--reuid={}", self.uid), format!("--regid={}", self.gid)]);
            command.args(["--init-groups", "--"]).arg(program);
            command
        };
        command.env_clear().env("PATH", self.path()).current_dir("/");
        command.env("HOME", &self.home).env("SHELL", &self.shell);
        command.env("USER", &self.name).env("LOGNAME", &self.name);
        // `systemctl --user` needs this if the user has a manager.
        let runtime = format!("/run/user/{}", self.uid);
        if Path::new(&runtime).is_dir() {
            command.env("XDG_RUNTIME_DIR", runtime);
        }
        command
    }

    /// Runs a program of the machine as this user, to its end.
    pub fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Result<Ran> {
        let mut command = self.command(&process::find(program, &[]));
        Ok(process::run(command.args(arguments), limit)?)
    }

    fn path(&self) -> String {
        let (home, name) = (&self.home, &self.name);
        format!("{home}/.nix-profile/bin:/etc/profiles/per-user/{name}/bin:{}", path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_getent_is_read() {
        let user = read("joe:x:1000:100:Joe,,:/home/joe:/bin/sh\n").unwrap();
        assert_eq!((user.name.as_str(), user.uid, user.gid), ("joe", 1000, 100));
        assert_eq!((user.home.as_str(), user.shell.as_str()), ("/home/joe", "/bin/sh"));
        for line in ["", "joe:x:1000", "joe:x:a:100::/home/joe:/bin/sh"] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_number_is_found_by_its_name() {
        assert_eq!(id_in("joe:x:1000:100::/:/bin/sh", "joe"), Some(1000));
        assert_eq!(id_in("keys:x:96:", "keys"), Some(96));
        assert_eq!(id_in("joey:x:1000:", "joe"), None);
        assert_eq!(id_of(Database::Group, "root").unwrap(), Some(0));
        assert_eq!(id_of(Database::Group, "0").unwrap(), Some(0), "agenix's own owner");
        assert_eq!(id_of(Database::Passwd, "nobody-of-that-name").unwrap(), None);
    }

    #[test]
    fn who_is_not_there_is_no_failure() {
        assert_eq!(find("root").unwrap().unwrap().uid, 0);
        assert_eq!(find("nobody-of-that-name").unwrap(), None);
        assert_eq!(find("0").unwrap(), None, "a number is no name");
        assert_eq!(find("--help").unwrap(), None);
    }
}
