//! A text with one more key, one less or another one.

use std::ops::Range;

use rnix::{
    Root,
    ast::{Ident, List, Select, Str},
};
use rowan::ast::AstNode;

use super::found::{KeyBinding, KeyPlace, KeySet, bindings, literal, name, range};

/// The words that no name of Nix's is.
const RESERVED: [&str; 10] =
    ["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"];

/// The text with another key under a name.
pub fn replaced(text: &str, binding: &KeyBinding, key: &str) -> String {
    spliced(text, vec![(binding.value.clone(), quoted(key))])
}

/// The text with a key more. The name is quoted where it has to be.
pub fn added(text: &str, set: &KeySet, name: &str, key: &str) -> String {
    let name = if is_plain(name) { name.to_owned() } else { quoted(name) };
    let line = |prefix: &str| format!("{prefix}{name} = {};", quoted(key));
    match &set.place {
        KeyPlace::Behind { entry, prefix } => {
            let indent = indent(text, entry.start);
            let (at, with) = match indent {
                Some(indent) => {
                    (end_of_line(text, entry.end), format!("\n{indent}{}", line(prefix)))
                }
                None => (entry.end, format!(" {}", line(prefix))),
            };
            spliced(text, vec![(at..at, with)])
        }
        KeyPlace::Inside(inside) => {
            let begin = text[..inside.start].rfind('\n').map_or(0, |at| at + 1);
            let outer: String =
                text[begin..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
            // There may be a comment.
            let kept = text[inside.clone()].trim_end();
            let with = format!("{kept}\n{outer}  {}\n{outer}", line(""));
            spliced(text, vec![(inside.clone(), with)])
        }
    }
}

/// The text without a key: without the line that gives it its name, where that is in this text, and
/// without it in lists. What else mentions it stays.
pub fn without(text: &str, key: &KeyBinding) -> String {
    let root = Root::parse(text).tree();
    let lists = root.syntax().descendants().filter_map(List::cast);
    let items = lists.flat_map(|list| list.syntax().children().collect::<Vec<_>>());
    let mentions = items.filter(|item| mentions(item, key)).map(|item| range(&item));
    let mut cuts: Vec<Range<usize>> = mentions.map(|item| with_its_blanks(text, item)).collect();
    let own =
        bindings(text).into_iter().filter(|other| other.path == key.path && other.key == key.key);
    cuts.extend(own.map(|binding| with_its_blanks(text, binding.entry)));
    spliced(text, cuts.into_iter().map(|cut| (cut, String::new())).collect())
}

/// Whether an element of a list is the key: by its name, the end of the names that lead to it, or as
/// it is.
fn mentions(item: &rnix::SyntaxNode, key: &KeyBinding) -> bool {
    if let Some(ident) = Ident::cast(item.clone()) {
        return ident.syntax().text() == key.name();
    }
    if let Some(text) = Str::cast(item.clone()) {
        return literal(&text).is_some_and(|text| text.trim() == key.key);
    }
    let Some(select) = Select::cast(item.clone()) else { return false };
    let Some(attrs) = select.attrpath() else { return false };
    let names: Option<Vec<String>> = attrs.attrs().map(|attr| name(&attr)).collect();
    let first = select.expr().map(|first| first.syntax().text().to_string());
    let Some((first, names)) = first.zip(names) else { return false };
    let whole: Vec<String> = std::iter::once(first).chain(names).collect();
    whole.ends_with(&key.path) || key.path.ends_with(&whole)
}

/// What goes with something that goes: its line and the comment at its end where it has a line of its
/// own, else the blanks in front of it.
fn with_its_blanks(text: &str, place: Range<usize>) -> Range<usize> {
    let before = text[..place.start].trim_end_matches([' ', '\t']).len();
    let begins = before == 0 || text[..before].ends_with('\n');
    let end = end_of_line(text, place.end);
    let ends = end == text.len() || text[end..].starts_with('\n');
    match begins && ends {
        true => before..(end + 1).min(text.len()),
        false => before..place.end,
    }
}

/// The end of the line behind a place, where nothing but blanks and a comment is left of it; else the
/// place itself.
fn end_of_line(text: &str, at: usize) -> usize {
    let rest = text[at..].lines().next().unwrap_or_default();
    let rest = rest.trim_end();
    match rest.trim_start().is_empty() || rest.trim_start().starts_with('#') {
        true => at + rest.len(),
        false => at,
    }
}

/// The blanks in front of what begins a line.
fn indent(text: &str, at: usize) -> Option<&str> {
    let begin = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let blanks = &text[begin..at];
    (begin > 0 && blanks.trim().is_empty()).then_some(blanks)
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{escaped}\"")
}

fn is_plain(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\''));
    first && rest && !RESERVED.contains(&name)
}

/// The text with something else in these places, which do not overlap.
fn spliced(text: &str, mut places: Vec<(Range<usize>, String)>) -> String {
    places.sort_by_key(|(place, _)| place.start);
    let (mut out, mut at) = (String::with_capacity(text.len() + 200), 0);
    for (place, with) in places {
        if place.start < at {
            continue;
        }
        out += &text[at..place.start];
        out += &with;
        at = place.end;
    }
    out + &text[at..]
}

#[cfg(test)]
mod tests;
