//! Whether a file is encrypted to the keys of its rule, without a private key.
//!
//! A file has a stanza for each recipient. One for a key of SSH's has a hash of that key, so these
//! are compared one by one. One for a key of age's own names nobody, and a plugin's is written in
//! that plugin's way: there, what can be compared is how many there are.

use std::collections::BTreeSet;

use super::{
    head::{Head, StanzaName},
    recipient::{Recipient, RecipientKind},
};

/// What a file and its rule differ in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Keys of the rule for which the file is not encrypted.
    pub lacks: Vec<Recipient>,
    /// What it is encrypted to besides, in words.
    pub unknown: Vec<String>,
    /// What differs in number only, in words.
    pub counted: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.lacks.is_empty() && self.unknown.is_empty() && self.counted.is_empty()
    }
}

impl Eq for Recipient {}

/// Compares a file's head with the rule's keys. `known` are the keys of all rules: who is not
/// meant any more is told by their fingerprint.
pub fn compare(head: &Head, recipients: &[Recipient], known: &[Recipient]) -> Difference {
    let named: BTreeSet<StanzaName> = head.stanzas.iter().filter_map(StanzaName::of).collect();
    let count = |kind: &str| head.stanzas.iter().filter(|stanza| stanza.tag == kind).count();
    let of = |kind: fn(RecipientKind<'_>) -> bool| {
        recipients.iter().filter(|recipient| kind(recipient.kind())).count()
    };
    let mut difference = Difference::default();
    let mut wanted = BTreeSet::new();
    for recipient in recipients {
        if let RecipientKind::Ssh(name) = recipient.kind() {
            wanted.insert(name.clone());
            if !named.contains(name) {
                difference.lacks.push(recipient.clone());
            }
        }
    }
    for name in named.difference(&wanted) {
        let is = |key: &&Recipient| key.kind() == RecipientKind::Ssh(name);
        difference.unknown.push(match known.iter().find(is) {
            Some(key) => format!("{} {}", key.fingerprint(), key.comment()).trim().to_owned(),
            None => format!("a key that is in no rule, {name}"),
        });
    }
    if count("scrypt") > 0 {
        difference.unknown.push("a passphrase, which no machine has".into());
    }
    let natives = (count("X25519"), of(|kind| kind == RecipientKind::Native));
    if natives.0 != natives.1 {
        let (is, wanted) = natives;
        difference.counted.push(format!("{is} of age's own keys, where the rule has {wanted}"));
    }
    let plugins = of(|kind| matches!(kind, RecipientKind::Plugin(_)));
    let others = head.stanzas.iter().filter(|stanza| is_of_a_plugin(&stanza.tag)).count();
    if (others == 0) != (plugins == 0) {
        difference.counted.push(format!("{others} keys of plugins, where the rule has {plugins}"));
    }
    difference
}

/// Whether something is known by number only, where nothing differs.
pub fn is_counted_only(recipients: &[Recipient]) -> bool {
    recipients.iter().any(|recipient| !matches!(recipient.kind(), RecipientKind::Ssh(_)))
}

/// Not one of age's own, nor one that age's programs add for nobody, so that readers pass over
/// what they do not know.
fn is_of_a_plugin(kind: &str) -> bool {
    let own = ["X25519", "scrypt", "ssh-ed25519", "ssh-rsa"];
    !own.contains(&kind) && !kind.ends_with("-grease")
}
