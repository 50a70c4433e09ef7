//! Where keys stand: `frame1 = "ssh-ed25519 …";`, and the sets that they stand in.

use std::ops::Range;

use rnix::{
    Root,
    ast::{Attr, AttrSet, AttrpathValue, Expr, HasEntry, InterpolPart, Str},
};
use rowan::ast::AstNode;

/// A name whose value is a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding {
    /// The names of the sets that it is in, and its own behind them.
    pub path: Vec<String>,
    /// The key.
    pub key: String,
    /// The place of the key, with its quotes.
    pub value: Range<usize>,
    /// The place of all of it, with its semicolon.
    pub entry: Range<usize>,
    /// What stands in front of its own name, as `machines.` in `machines.frame1 = …`.
    prefix: String,
}

/// A set in which a key may be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    /// The names that lead to it.
    pub path: Vec<String>,
    /// Where its next key belongs.
    pub place: KeyPlace,
}

/// Where a set's next key belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// Behind the last key.
    Behind {
        /// The last key's place.
        entry: Range<usize>,
        /// What stands in front of its own name.
        prefix: String,
    },
    /// Between the braces, which have nothing in them yet.
    Inside(Range<usize>),
}

impl KeyBinding {
    /// Its own name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Whether a word of the command line means it: its name, with or without sets in front.
    pub fn is(&self, word: &str) -> bool {
        let whole = self.path.join(".");
        self.name() == word || whole == word || whole.ends_with(&format!(".{word}"))
    }
}

/// All keys that have a name.
pub fn bindings(text: &str) -> Vec<KeyBinding> {
    let all = Root::parse(text).tree().syntax().descendants().filter_map(AttrpathValue::cast);
    all.filter_map(|entry| binding(text, &entry)).collect()
}

fn binding(text: &str, entry: &AttrpathValue) -> Option<KeyBinding> {
    let Some(Expr::Str(value)) = entry.value() else { return None };
    let key = literal(&value).filter(|text| is_key(text))?;
    let attrs = entry.attrpath()?;
    let last = range(attrs.attrs().last()?.syntax());
    let prefix = text[range(attrs.syntax()).start..last.start].to_owned();
    Some(KeyBinding {
        path: path(entry.syntax())?,
        key: key.trim().to_owned(),
        value: range(value.syntax()),
        entry: range(entry.syntax()),
        prefix,
    })
}

/// The sets that have keys in them, and those that have nothing in them yet.
pub fn sets(text: &str) -> Vec<KeySet> {
    let mut sets: Vec<KeySet> = Vec::new();
    for binding in bindings(text) {
        let (_, path) = binding.path.split_last().unwrap_or((&binding.path[0], &[]));
        let place = KeyPlace::Behind { entry: binding.entry, prefix: binding.prefix };
        match sets.iter_mut().find(|set| set.path == path) {
            Some(set) => set.place = place,
            None => sets.push(KeySet { path: path.to_vec(), place }),
        }
    }
    let root = Root::parse(text).tree();
    for set in root.syntax().descendants().filter_map(AttrSet::cast) {
        let (Some(open), Some(close)) = (set.l_curly_token(), set.r_curly_token()) else {
            continue;
        };
        let Some(path) = path(set.syntax()) else { continue };
        if set.entries().next().is_none() && !sets.iter().any(|other| other.path == path) {
            let inside =
                usize::from(open.text_range().end())..usize::from(close.text_range().start());
            sets.push(KeySet { path, place: KeyPlace::Inside(inside) });
        }
    }
    sets
}

/// The names that lead to a node; `None` where one is computed.
fn path(node: &rnix::SyntaxNode) -> Option<Vec<String>> {
    let mut path = Vec::new();
    for entry in node.ancestors().filter_map(AttrpathValue::cast) {
        let names: Option<Vec<String>> =
            entry.attrpath()?.attrs().map(|attr| name(&attr)).collect();
        path.splice(0..0, names?);
    }
    Some(path)
}

/// An attribute's name, where it is not computed.
pub fn name(attr: &Attr) -> Option<String> {
    match attr {
        Attr::Ident(ident) => Some(ident.syntax().text().to_string()),
        Attr::Str(text) => literal(text),
        Attr::Dynamic(_) => None,
    }
}

/// A text in quotes in which nothing is computed.
pub fn literal(text: &Str) -> Option<String> {
    match text.normalized_parts().as_slice() {
        [] => Some(String::new()),
        [InterpolPart::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

/// A node's place in the text.
pub fn range(node: &rnix::SyntaxNode) -> Range<usize> {
    node.text_range().start().into()..node.text_range().end().into()
}

/// Whether a text is meant as a public key. Whether it is one, is said by who reads it.
fn is_key(text: &str) -> bool {
    let begins = ["ssh-", "age1", "ecdsa-", "sk-ssh-"];
    begins.iter().any(|with| text.trim().starts_with(with)) && !text.trim().contains('\n')
}
