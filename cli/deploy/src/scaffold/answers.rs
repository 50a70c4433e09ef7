//! What a machine may be called and have. Everything that becomes a part of a Nix file goes through
//! here, so that nothing of it has to be quoted.

use std::fmt;

/// What an answer is not. It follows the answer: `Frame2: a host's name has …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer(&'static str);

impl NoAnswer {
    /// What is wanted instead.
    pub fn new(why: &'static str) -> Self {
        Self(why)
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoAnswer {}

fn checked(text: &str, is: bool, why: &'static str) -> Result<String, NoAnswer> {
    if is { Ok(text.to_owned()) } else { Err(NoAnswer(why)) }
}

/// A host's name, by the rule of `lib.fleet`.
pub fn host_name(text: &str) -> Result<String, NoAnswer> {
    let is = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    checked(text, is, "a host's name has lower case letters, digits and dashes, at most 63")
}

/// A platform that machines have.
pub fn platform(text: &str) -> Result<String, NoAnswer> {
    let is = ["x86_64-linux", "aarch64-linux"].contains(&text);
    checked(text, is, "it is x86_64-linux or aarch64-linux")
}

/// A whole disk, by its path.
pub fn disk(text: &str) -> Result<String, NoAnswer> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/_.:+@=-".contains(&b);
    let name = text.rsplit('/').next().unwrap_or_default();
    let part = name.rsplit_once("-part").is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    });
    let is = text.strip_prefix("/dev/").is_some_and(|rest| !rest.is_empty())
        && !text.ends_with('/')
        && !text.contains("..")
        && text.bytes().all(is_plain);
    checked(text, is, "a disk is a path below /dev, as /dev/disk/by-id/ata-…")?;
    checked(text, !part, "it is a partition; the name of the disk has no -part")
}

/// Whether a disk's name may be another disk's after a restart.
pub fn may_change(disk: &str) -> bool {
    let name = disk.strip_prefix("/dev/").unwrap_or_default();
    !name.contains('/') && (name.starts_with("sd") || name.starts_with("nvme"))
}

/// An address or a name by which SSH reaches the machine, without a port.
pub fn address(text: &str) -> Result<String, NoAnswer> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".:-_%".contains(&b);
    let is = !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain);
    // An address of IPv6 has more than one colon.
    let is = is && text.matches(':').count() != 1;
    checked(text, is, "an address is a host's name or an IP address, without a port")
}

/// A domain, below which the sites are.
pub fn domain(text: &str) -> Result<String, NoAnswer> {
    let is_label = |label: &str| host_name(label).is_ok();
    let is = text.contains('.') && text.split('.').all(is_label);
    checked(text, is, "a domain is as home.example.org, in lower case")
}

/// A release of NixOS.
pub fn release(text: &str) -> Result<String, NoAnswer> {
    let is = text.split_once('.').is_some_and(|(year, month)| {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        digits(year) && digits(month)
    });
    checked(text, is, "a release is as 26.05")
}

/// A user's name.
pub fn user(text: &str) -> Result<String, NoAnswer> {
    let is = (1..=31).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    checked(text, is, "a user's name has lower case letters, digits, dashes and underscores")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(&str) -> Result<String, NoAnswer>;

    #[test]
    fn what_is_written_into_nix_needs_no_quotes() {
        let cases: [(Read, &[&str], &[&str]); 7] = [
            (host_name, &["frame2", "a-1"], &["", "Frame2", "-a", "a-", "a.b", "a b", "../a"]),
            (platform, &["aarch64-linux"], &["x86_64-darwin", ""]),
            (
                disk,
                &["/dev/disk/by-id/ata-X_1", "/dev/sda", "/dev/disk/by-id/x-party"],
                &[
                    "sda",
                    "/dev/",
                    "/dev/../etc",
                    "/dev/disk/by-id/x-part1",
                    "/dev/a\"",
                    "/dev/${x}",
                ],
            ),
            (
                address,
                &["192.168.2.50", "frame2.lan", "fe80::1%eth0"],
                &["", "-oProxyCommand=x", "a b", "frame2:22", "root@frame2", "a\"b"],
            ),
            (domain, &["home.example.org"], &["home", "a..b", "*.a.b", "A.b"]),
            (release, &["26.05"], &["26", "26.5", "unstable"]),
            (user, &["admin", "_a"], &["", "1a", "a b", "A"]),
        ];
        for (read, right, wrong) in cases {
            for text in right {
                assert_eq!(read(text).as_deref(), Ok(*text));
            }
            for text in wrong {
                assert!(read(text).is_err(), "{text}");
            }
        }
        assert!(may_change("/dev/sda") && may_change("/dev/nvme0n1"));
        assert!(!may_change("/dev/disk/by-id/ata-X") && !may_change("/dev/vda"));
    }
}
