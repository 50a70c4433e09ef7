//! The names of the types that code declares.

use std::{collections::BTreeMap, path::Path};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{
    imports::is_of_tests,
    sources::{code, sources},
};

/// The type names in a program's files, each with its files. Tests are left out.
pub fn declared(src: &Path) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in sources(src).into_iter().filter(|file| !is_of_tests(file)) {
        let place = file.strip_prefix(src).unwrap().display().to_string();
        for name in names(code(&file).parse().unwrap()) {
            all.entry(name).or_default().push(place.clone());
        }
    }
    all
}

/// The names of types in code, including those inside functions. A trait's associated type has the
/// trait's name for it, and does not count.
pub fn names(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    find(tokens, false, &mut found);
    found
}

fn find(tokens: TokenStream, is_of_a_trait: bool, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    let (mut begins, mut is_body_of_a_trait) = (true, false);
    while let Some(token) = tokens.next() {
        let ends = match &token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                // Elsewhere, `impl` is the type of an argument or a return type.
                is_body_of_a_trait |= word == "trait" || word == "impl" && begins;
                let declares = match word.as_str() {
                    "struct" | "enum" | "union" | "trait" => true,
                    "type" => !is_of_a_trait,
                    _ => false,
                };
                if let Some(TokenTree::Ident(name)) = tokens.peek().filter(|_| declares) {
                    found.push(name.to_string());
                }
                word == "unsafe"
            }
            TokenTree::Group(group) => {
                let is_body = is_body_of_a_trait && group.delimiter() == Delimiter::Brace;
                find(group.stream(), is_body, found);
                is_body_of_a_trait &= !is_body;
                true
            }
            TokenTree::Punct(mark) => mark.as_char() == ';',
            TokenTree::Literal(_) => false,
        };
        begins = ends;
    }
}
