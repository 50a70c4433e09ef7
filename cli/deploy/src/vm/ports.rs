//! The ports of this computer that lead to the virtual machine.

use std::{
    fmt,
    net::{Ipv4Addr, TcpListener},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::error::{Failure, Result};

/// The port of SSH in the guest.
pub const SSH: u16 = 22;
/// The port of HTTPS in the guest.
pub const HTTPS: u16 = 443;

/// A port on 127.0.0.1, and the guest's port that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// The port here.
    pub here: u16,
    /// The port of the guest.
    pub guest: u16,
}

impl Forward {
    const fn new(here: u16, guest: u16) -> Self {
        Self { here, guest }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.here, self.guest)
    }
}

impl FromStr for Forward {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Self, String> {
        let port = |word: &str| word.parse().ok().filter(|port| *port != 0);
        word.split_once(':')
            .and_then(|(here, guest)| Some(Self::new(port(here)?, port(guest)?)))
            .ok_or_else(|| format!("`{word}` is not HERE:GUEST, as 9443:443"))
    }
}

/// The usual forwards.
const USUAL: [Forward; 3] =
    [Forward::new(8443, HTTPS), Forward::new(8080, 80), Forward::new(2222, SSH)];

/// The usual forwards with those of the command line, which replace the usual one of the same guest
/// port.
pub fn with(flags: &[Forward]) -> Result<Vec<Forward>> {
    let usual =
        USUAL.into_iter().filter(|usual| flags.iter().all(|flag| flag.guest != usual.guest));
    let all: Vec<Forward> = usual.chain(flags.iter().copied()).collect();
    let twice = |all: &[Forward], of: fn(&Forward) -> u16| {
        let ports: Vec<u16> = all.iter().map(of).collect();
        (1..ports.len()).find(|at| ports[..*at].contains(&ports[*at])).map(|at| ports[at])
    };
    if let Some(port) = twice(&all, |forward| forward.here) {
        return Err(Failure::unchanged(format!("port {port} leads to two ports of the guest"))
            .hint(Some("--port HERE:GUEST, with another HERE".into())));
    }
    if let Some(port) = twice(flags, |forward| forward.guest) {
        return Err(Failure::unchanged(format!("--port names port {port} of the guest twice")));
    }
    Ok(all)
}

/// The port here that leads to a guest's port.
pub fn here_for(ports: &[Forward], guest: u16) -> Option<u16> {
    ports.iter().find(|forward| forward.guest == guest).map(|forward| forward.here)
}

/// Refuses ports on which something listens, before anything is built.
pub fn refuse_taken(name: &str, ports: &[Forward]) -> Result<()> {
    let taken: Vec<&Forward> = ports
        .iter()
        .filter(|forward| TcpListener::bind((Ipv4Addr::LOCALHOST, forward.here)).is_err())
        .collect();
    let Some(first) = taken.first() else { return Ok(()) };
    let list: Vec<String> = taken.iter().map(|forward| forward.here.to_string()).collect();
    let (noun, verb) = if taken.len() == 1 { ("port", "is") } else { ("ports", "are") };
    Err(Failure::unchanged(format!("{name} was not started: its ports are not free"))
        .because(format!("{noun} {} of 127.0.0.1 {verb} in use", list.join(", ")))
        .hint(Some(format!("--port {}:{} takes another one", first.here ^ 1, first.guest))))
}

/// A port of 127.0.0.1 that nothing listens on now.
pub fn free() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(words: &[&str]) -> Vec<Forward> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    fn shown(ports: Result<Vec<Forward>>) -> String {
        let words: Vec<String> = ports.unwrap().iter().map(ToString::to_string).collect();
        words.join(" ")
    }

    #[test]
    fn flags_replace_the_usual_ports_of_the_guest_and_add_others() {
        assert_eq!(shown(with(&[])), "8443:443 8080:80 2222:22");
        assert_eq!(shown(with(&flags(&["9443:443"]))), "8080:80 2222:22 9443:443");
        assert_eq!(shown(with(&flags(&["3000:3000"]))), "8443:443 8080:80 2222:22 3000:3000");
        assert!(with(&flags(&["8080:443"])).is_err(), "8080 is taken by the usual one of 80");
        assert!(with(&flags(&["1:5", "2:5"])).is_err());
    }

    #[test]
    fn a_word_that_is_no_pair_of_ports_is_refused() {
        for word in ["", "443", "0:443", "443:0", "70000:1", "a:b", "1:2:3"] {
            let refused = Forward::from_str(word).unwrap_err();
            assert!(refused.contains("HERE:GUEST"), "{refused}");
        }
    }

    #[test]
    fn a_port_in_use_is_named_with_the_flag_that_takes_another() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = Forward::new(other.local_addr().unwrap().port(), 22);
        let failure = refuse_taken("frame1-vm", &[taken]).unwrap_err().to_string();
        assert!(failure.contains(&format!("port {} of 127.0.0.1 is in use", taken.here)));
        assert!(failure.contains(":22 takes another one"), "{failure}");
        drop(other);
        assert!(refuse_taken("frame1-vm", &[taken]).is_ok());
    }
}
