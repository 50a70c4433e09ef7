//! New store paths on the operator's machine, with contents from Debian's /usr.

use anyhow::{Result, ensure};

use crate::hosts::Host;

/// Creates `count` new paths and returns them. Each is a folder with about `kib` KiB of files, or
/// for 0 one file of 1 to 20 KB. Each contains `salt`, so that no other call creates the same path. It is
/// also in their names, so that none of another call's is taken as a base; it begins with a letter,
/// because a version does not count there.
///
/// # Errors
/// When /usr has too little.
pub fn make(operator: &Host, count: u32, kib: u32, salt: &str) -> Result<Vec<String>> {
    let script = if kib == 0 { SMALL } else { FOLDERS };
    let words = ["sh", "-euc", script, "sh", &count.to_string(), &kib.to_string(), salt];
    let paths: Vec<String> =
        operator.command(words).run()?.success()?.stdout.lines().map(Into::into).collect();
    ensure!(paths.len() == count as usize, "{} paths instead of {count}", paths.len());
    Ok(paths)
}

const SMALL: &str = r#"
folder=$(mktemp -d); cd "$folder"; number=0
find /usr -xdev -type f -size +1 -size -40 | sort | head -n "$1" > list
while read -r file; do
  number=$((number + 1))
  { cat "$file"; echo "$3"; } > "$3-path-$number"
done < list
nix-store --add "$3"-path-*
cd /; rm -r "$folder"
"#;

const FOLDERS: &str = r#"
folder=$(mktemp -d); cd "$folder"
find /usr -xdev -type f -size +0 -printf '%s %p\n' | sort -k 2 > files
# Where /usr is smaller than what is wanted, its files come again.
for _ in 1 2 3 4 5 6 7 8; do cat files; done | awk -v count="$1" -v kib="$2" '
  BEGIN { at = 1 }
  { print substr($0, index($0, " ") + 1) > ("list-" at); sum += $1 }
  sum >= kib * 1024 { close("list-" at); sum = 0; at++ }
  at > count { exit }'
number=0
while [ "$number" -lt "$1" ]; do
  number=$((number + 1))
  path="$3-path-$number"
  mkdir "$path"
  echo "$3" > "$path/salt"
  # Names have blanks: those of fish's themes.
  xargs -d '\n' -a "list-$number" cp --parents -t "$path"
  nix-store --add "$path"
  rm -r "$path"
done
cd /; rm -r "$folder"
"#;
