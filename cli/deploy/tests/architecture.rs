//! The drawing in docs/architecture.md against the imports.

mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use sources::{cli, code, sources};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The modules directly below `crate::` that `code` names.
fn used(code: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(tree) => modules.extend(heads(tree)),
            None => modules.extend([word(rest)]),
        }
    }
    modules
}

/// The first words of the branches of a `use` tree, up to its closing brace.
fn heads(tree: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(word(tree[start..at].trim()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(word(tree[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads.into_iter().filter(|head| !head.is_empty()).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn imports(program: &str) -> Arrows {
    let src = cli().join(program).join("src");
    let mut arrows = Arrows::new();
    for file in sources(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = module.trim_end_matches(".rs").to_owned();
        let mut uses = used(&code(&file));
        uses.remove(&module);
        arrows.entry(module).or_default().extend(uses);
    }
    // The root names its modules by declaring them.
    let root = code(&src.join("lib.rs"));
    let calls = arrows.keys().filter(|name| root.contains(&format!("{name}::"))).cloned();
    let calls: BTreeSet<String> = calls.collect();
    arrows.insert("lib".into(), calls);
    // The program is the library's one function and a runtime.
    arrows.remove("main");
    arrows
}

fn drawn(program: &str) -> Arrows {
    let text = fs::read_to_string(cli().join("../docs/architecture.md")).unwrap();
    let list = text.split("<!-- arrows -->").nth(1).unwrap();
    let list = list.split("```").nth(1).unwrap();
    let prefix = format!("{program}/");
    let arrow = |line: &str| {
        let (from, to) = line.split_once("->")?;
        let from = from.trim().strip_prefix(&prefix)?.to_owned();
        Some((from, to.split_whitespace().map(str::to_owned).collect()))
    };
    list.lines().filter_map(arrow).collect()
}

#[test]
fn the_drawing_is_what_the_imports_are() {
    assert_eq!(imports("deploy"), drawn("deploy"));
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::{\n  a::{b, c},\n  d::E,\n};\nfn f() { crate::g::h(); }\nuse crate::i;";
    let expected = ["a", "d", "g", "i"].map(str::to_owned);
    assert_eq!(used(code), BTreeSet::from(expected));
}

fn dependencies(crate_name: &str) -> String {
    fs::read_to_string(cli().join(crate_name).join("Cargo.toml")).unwrap()
}

#[test]
fn the_programs_share_only_the_wire() {
    for (name, foreign) in [
        ("wire", ["deploy-agent", "deploy-lab", "\ndeploy ="]),
        ("agent", ["deploy-agent.", "deploy-lab", "\ndeploy ="]),
        ("deploy", ["deploy-agent", "deploy-lab", "\ndeploy ="]),
        ("lab", ["deploy-agent", "deploy-lab.", "\ndeploy ="]),
    ] {
        let text = dependencies(name);
        let list = text.split("[dependencies]").nth(1).unwrap();
        for other in foreign {
            assert!(!list.contains(other), "{name} depends on `{}`", other.trim());
        }
    }
}

#[test]
fn only_tools_start_programs() {
    let starting = |program: &str, call: &str| -> Vec<PathBuf> {
        let src = cli().join(program).join("src");
        let files = sources(&src).into_iter();
        let files = files.filter(|file| code(file).contains(call));
        files.map(|file| file.strip_prefix(&src).unwrap().to_owned()).collect()
    };
    assert_eq!(starting("deploy", "Command::new("), [Path::new("tools/process.rs")]);
    for file in starting("agent", "Command::new(") {
        assert!(file.starts_with("tools"), "{} starts a program", file.display());
    }
}

#[test]
fn pure_files_are_pure() {
    let plan = code(&cli().join("deploy/src/stages/plan.rs"));
    for impure in ["tools::", "tokio", "async", "std::fs", "std::env", "Instant"] {
        assert!(!plan.contains(impure), "plan.rs has `{impure}`");
    }
    let machine = code(&cli().join("agent/src/transition.rs"));
    for impure in ["crate::", "std::fs", "std::env", "std::time", "rustix"] {
        assert!(!machine.contains(impure), "transition.rs has `{impure}`");
    }
}

#[test]
fn the_operators_side_is_not_only_for_linux() {
    for program in ["deploy", "wire"] {
        for file in sources(&cli().join(program).join("src")) {
            let code = code(&file);
            for only in ["target_os", "/proc/", "std::os::linux"] {
                assert!(!code.contains(only), "{} has `{only}`", file.display());
            }
        }
    }
}
