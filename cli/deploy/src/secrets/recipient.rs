//! The reader of a secret: a public key, as rules name it.

use std::{fmt, rc::Rc};

use ssh_key::{HashAlg, PublicKey};

use super::{
    answers::Answers,
    head::{StanzaName, name_of},
};

/// A public key to which secrets are encrypted. Cheap to clone.
#[derive(Clone)]
pub struct Recipient(Rc<Inner>);

struct Inner {
    text: String,
    key: AgeKey,
    comment: String,
    fingerprint: String,
}

enum AgeKey {
    /// With the stanzas that age writes for it: they name it by a hash.
    Ssh(Box<age::ssh::Recipient>, StanzaName),
    Native(age::x25519::Recipient),
    Plugin(age::plugin::Recipient),
}

/// What kind of key it is, as far as files differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientKind<'r> {
    /// A key of SSH's, which a file names.
    Ssh(&'r StanzaName),
    /// One of age's own, which no file names.
    Native,
    /// One of a plugin's, which a file names in the plugin's way.
    Plugin(&'r str),
}

impl Recipient {
    /// Reads a key as it stands in rules. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("AGE-SECRET-KEY-") || text.starts_with("AGE-PLUGIN-") {
            return Err("it is a private key of age's: rules have the public one".into());
        }
        if text.starts_with("age1") {
            let (key, fingerprint) = (of_age(text)?, shortened(text));
            return Ok(Self::new(text, key, String::new(), fingerprint));
        }
        let key = match PublicKey::from_openssh(text) {
            Ok(key) => key,
            Err(why) => return Err(not_read(text, &why)),
        };
        let bare = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let age: age::ssh::Recipient = bare.parse().map_err(|why| not_taken(text, &why))?;
        let name = name_of(&age).ok_or("age encrypts nothing to it")?;
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let comment = key.comment().to_owned();
        Ok(Self::new(text, AgeKey::Ssh(Box::new(age), name), comment, fingerprint))
    }

    fn new(text: &str, key: AgeKey, comment: String, fingerprint: String) -> Self {
        Self(Rc::new(Inner { text: text.to_owned(), key, comment, fingerprint }))
    }

    /// As it stands in the rules.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What stands behind the key, as `joe@laptop`.
    pub fn comment(&self) -> &str {
        &self.0.comment
    }

    /// `SHA256:…` of one of SSH's; of another the key itself, which is as short.
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// Its kind.
    pub fn kind(&self) -> RecipientKind<'_> {
        match &self.0.key {
            AgeKey::Ssh(_, name) => RecipientKind::Ssh(name),
            AgeKey::Native(_) => RecipientKind::Native,
            AgeKey::Plugin(key) => RecipientKind::Plugin(key.plugin()),
        }
    }

    /// The key for age. A plugin asks by `answers`. The error names what is missing.
    pub fn for_age(&self, answers: &Answers) -> Result<Box<dyn age::Recipient>, String> {
        Ok(match &self.0.key {
            AgeKey::Ssh(key, _) => Box::new((**key).clone()),
            AgeKey::Native(key) => Box::new(key.clone()),
            AgeKey::Plugin(key) => {
                let keys = std::slice::from_ref(key);
                let plugin =
                    age::plugin::RecipientPluginV1::new(key.plugin(), keys, &[], answers.clone());
                Box::new(plugin.map_err(|_| no_plugin(key.plugin()))?)
            }
        })
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// What is missing where a key needs a plugin.
pub fn no_plugin(name: &str) -> String {
    format!("the key needs age's plugin `{name}`: there is no `age-plugin-{name}` on PATH")
}

fn of_age(text: &str) -> Result<AgeKey, String> {
    if let Ok(key) = text.parse() {
        return Ok(AgeKey::Native(key));
    }
    let key = text.parse().map(AgeKey::Plugin);
    key.map_err(|_| "it is no key of age's: is a letter missing or wrong?".to_owned())
}

fn shortened(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// Kinds of SSH's keys that age has no way for.
fn not_read(text: &str, why: &ssh_key::Error) -> String {
    let kind = text.split_whitespace().next().unwrap_or_default();
    if text.starts_with("-----BEGIN") {
        return "it is a private key: rules have the public one".into();
    }
    match kind {
        _ if kind.starts_with("ecdsa-") || kind.starts_with("sk-") || kind == "ssh-dss" => {
            format!("age cannot encrypt to {kind}: it takes ssh-ed25519, ssh-rsa and its own keys")
        }
        "ssh-ed25519" | "ssh-rsa" => format!("the {kind} key is damaged: {why}"),
        _ => "it is neither a key of SSH's nor one of age's".into(),
    }
}

fn not_taken(text: &str, why: &age::ssh::ParseRecipientKeyError) -> String {
    use age::ssh::ParseRecipientKeyError as Why;
    match why {
        Why::RsaModulusTooLarge => "age takes keys of RSA up to 4096 bits".into(),
        Why::RsaModulusTooSmall => "age takes keys of RSA from 2048 bits on".into(),
        Why::Unsupported(kind) => format!("age cannot encrypt to {kind}"),
        Why::Ignore | Why::Invalid(_) => {
            let kind = text.split_whitespace().next().unwrap_or_default();
            format!("the {kind} key is damaged")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV";
    const NATIVE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn a_key_of_each_kind_is_read_with_its_comment_and_fingerprint() {
        let key = Recipient::parse(&format!("{ED25519} joe@laptop\n")).unwrap();
        assert_eq!(key.comment(), "joe@laptop");
        assert!(key.fingerprint().starts_with("SHA256:"), "{}", key.fingerprint());
        assert!(matches!(key.kind(), RecipientKind::Ssh(name) if name.kind == "ssh-ed25519"));
        assert_eq!(key, Recipient::parse(ED25519).unwrap());
        assert_eq!(Recipient::parse(NATIVE).unwrap().kind(), RecipientKind::Native);
        let plugin = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";
        assert_eq!(Recipient::parse(plugin).unwrap().kind(), RecipientKind::Plugin("yubikey"));
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_reason() {
        let cut = &ED25519[..40];
        for (text, why) in [
            ("", "neither a key"),
            ("joe", "neither a key"),
            (cut, "the ssh-ed25519 key is damaged"),
            ("age1ql3z7hjy54pw3", "it is no key of age's"),
            ("AGE-SECRET-KEY-1QQ", "it is a private key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nx", "it is a private key"),
            ("ecdsa-sha2-nistp256 AAAA", "age cannot encrypt to ecdsa-sha2-nistp256"),
            ("sk-ssh-ed25519@openssh.com AAAA", "age cannot encrypt to sk-ssh-ed25519"),
        ] {
            let refused = Recipient::parse(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
