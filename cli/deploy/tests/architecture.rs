//! Compares the drawing in docs/architecture.md with the imports.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod imports;
mod sources;
mod types;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use imports::{Imports, paths};
use sources::{cli, code, sources};

/// The folders whose modules are drawn.
const DRAWN: [(&str, &[&str]); 13] = [
    ("wire", &[]),
    ("delta", &[]),
    ("deploy", &[]),
    ("deploy", &["secrets"]),
    ("deploy", &["stages"]),
    ("deploy", &["tools"]),
    ("agent", &[]),
    ("agent", &["attempt"]),
    ("agent", &["machine"]),
    ("lab", &[]),
    ("lab", &["hosts"]),
    ("lab", &["systems"]),
    ("lab", &["tables"]),
];

fn imports(program: &str) -> Imports {
    Imports::of(&cli().join(program).join("src"))
}

/// The lines of the drawing, by what is before the arrow.
fn drawn() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(cli().join("../docs/architecture.md")).unwrap();
    let list = text.split("<!-- arrows -->").nth(1).unwrap();
    let list = list.split("```").nth(1).unwrap();
    let lines = list.lines().filter_map(|line| line.split_once("->"));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    lines.map(|(room, uses)| (room.trim().to_owned(), words(uses))).collect()
}

#[test]
fn the_drawing_is_what_the_imports_are() {
    let mut drawn = drawn();
    let mut wrong = Vec::new();
    for (program, folder) in DRAWN {
        for (room, uses) in imports(program).rooms(folder) {
            let room = [&[program], folder, &[room.as_str()]].concat().join("/");
            let is: BTreeSet<String> = uses.keys().cloned().collect();
            let line = drawn.remove(&room).unwrap_or_default();
            if line == is {
                continue;
            }
            let list =
                |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
            let mut why = format!("`{room} -> {}` is to be `{room} -> {}`", list(&line), list(&is));
            for other in is.difference(&line) {
                why += &format!("; {program}/src/{} uses {other}", uses[other].join("/"));
            }
            wrong.push(why);
        }
    }
    wrong.extend(drawn.keys().map(|room| format!("`{room}` is drawn, and there is no such room")));
    assert!(wrong.is_empty(), "docs/architecture.md:\n{}", wrong.join("\n"));
}

#[test]
fn no_module_uses_itself_by_way_of_others() {
    for program in ["wire", "delta", "deploy", "agent", "lab"] {
        assert_eq!(imports(program).circles(), Vec::<String>::new(), "{program}");
    }
}

/// This check also finds a circle through what a folder's own file re-exports.
#[test]
fn no_room_uses_itself_by_way_of_others() {
    for (program, folder) in DRAWN {
        let circles = imports(program).circles_of_rooms(folder);
        assert_eq!(circles, Vec::<String>::new(), "{program}/{}", folder.join("/"));
    }
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::{\n  a::{self, b, c::{X, Y}},\n  d::E as F,\n};\n\
                fn f() { crate::g::h(); }\npub use super::i::*;\nuse self::j::K;";
    let found: BTreeSet<String> = paths(code).iter().map(|path| path.join("::")).collect();
    let expected = [
        "crate::a::self",
        "crate::a::b",
        "crate::a::c::X",
        "crate::a::c::Y",
        "crate::d::E",
        "crate::g::h",
        "super::i",
        "self::j::K",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn a_type_s_name_means_one_thing_in_its_crate() {
    for program in ["wire", "deploy", "agent"] {
        let declared = types::declared(&cli().join(program).join("src"));
        assert!(declared.len() > 30, "{declared:?}");
        let twice: Vec<String> = declared
            .into_iter()
            .filter(|(_, files)| files.len() > 1)
            .map(|(name, files)| format!("{program}: {name} is declared in {}", files.join(", ")))
            .collect();
        assert!(twice.is_empty(), "say what each of them is:\n{}", twice.join("\n"));
    }
}

#[test]
fn the_reader_of_types_sees_every_form() {
    let code = r#"pub(crate) struct A<'a>(&'a str); enum B {} trait C: Sized { type No; }
        unsafe impl C for B { type No = u8; fn f() -> u8 { type D = u8; 0 } }
        fn g(x: impl Fn()) -> impl Iterator { type E = u8; say("struct No"); x.union(y) }
        #[derive(F)] impl B {} type G = u8; union H { a: u8 }"#;
    let expected = ["A", "B", "C", "D", "E", "G", "H"];
    assert_eq!(types::names(code.parse().unwrap()), expected);
}

fn dependencies(crate_name: &str) -> String {
    fs::read_to_string(cli().join(crate_name).join("Cargo.toml")).unwrap()
}

#[test]
fn the_programs_share_only_the_wire_and_the_delta() {
    for (name, foreign) in [
        ("wire", ["deploy-agent", "deploy-lab", "\ndeploy ="]),
        ("delta", ["deploy-agent", "deploy-lab", "\ndeploy ="]),
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
    let machine = code(&cli().join("agent/src/attempt/transition.rs"));
    for impure in ["crate::", "std::fs", "std::env", "std::time", "rustix"] {
        assert!(!machine.contains(impure), "transition.rs has `{impure}`");
    }
}

#[test]
fn the_operators_side_is_not_only_for_linux() {
    for program in ["deploy", "delta", "wire"] {
        for file in sources(&cli().join(program).join("src")) {
            let code = code(&file);
            // This one has another way where there is no such file.
            let has_another = file.ends_with("tools/computer.rs");
            for only in ["target_os", "/proc/", "std::os::linux"] {
                let is_allowed = only == "/proc/" && has_another;
                assert!(is_allowed || !code.contains(only), "{} has `{only}`", file.display());
            }
        }
    }
}
