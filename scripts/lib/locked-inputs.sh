# shellcheck shell=bash
# The flake with its locked inputs, NixOS's own modules among them, where they can be reached.
# Sourced by test-flake, whose functions and variables it uses.

# Prints a line for each input in flake.lock: its name, a space, its address. An input that the
# arguments override has the address from the arguments.
input_addresses() {
  local name url index=0
  while read -r name url; do
    for index in "${!locked_arguments[@]}"; do
      [ "${locked_arguments[index]}" = --override-input ] || continue
      case ${locked_arguments[index + 1]:-} in
        "$name" | */"$name") url=${locked_arguments[index + 2]:-} url=${url#tarball+} ;;
      esac
    done
    echo "$name $url"
  done < <(sed -nE 's/^    "([^"]+)": \{$/name \1/p; s/^ *"(owner|repo|rev)": "([^"]+)".*/\1 \2/p' flake.lock |
    awk '{ value[$1] = $2 } $1 == "rev" { print value["name"], "https://github.com/" value["owner"] "/" value["repo"] "/archive/" value["rev"] ".tar.gz" }')
}

# Whether all inputs answer, nixpkgs first, within 10 seconds altogether. If not, $unreached says
# why.
inputs_reached() {
  local deadline=$((SECONDS + 10)) name url left said
  unreached=
  if ! command -v curl > /dev/null; then
    unreached="curl is not installed"
    return 1
  fi
  while read -r name url; do
    left=$((deadline - SECONDS))
    case $url in http*) ;; *) continue ;; esac
    if [ "$left" -le 0 ]; then
      unreached="$name did not answer within 10 s"
      return 1
    fi
    if ! said=$(curl --silent --show-error --fail --location --head --max-time "$left" --output /dev/null "$url" 2>&1); then
      unreached="$name: ${said#curl: }"
      return 1
    fi
  done < <(input_addresses | sort -s -k1,1 | awk '$1 == "nixpkgs" { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }')
}

# locked ARGUMENTS...: runs Nix on the flake with these inputs. Output in $work/out and $work/err.
locked() {
  nix "$@" --no-write-lock-file --option connect-timeout 10 "${locked_arguments[@]}" > "$work/out" 2> "$work/err"
}

# Each check runs in its own process, so that its memory is freed before the next.
with_locked_inputs() {
  local name check checks test noise result
  echo "      with the locked inputs: some minutes, and 0.3 GB the first time"
  name="locked inputs: every machine evaluates to its derivation"
  if locked eval --json "path:$made#nixosConfigurations" --apply "$machines"; then
    ok "$name"
    name="locked inputs: without a warning or a trace"
    if noise=$(grep -E 'evaluation warning:|^trace:' "$work/err"); then bad "$name" "$noise"; else ok "$name"; fi
  else
    bad "$name" "$(reason)"
  fi

  name="locked inputs: the checks have names"
  if ! locked eval --raw "path:$flake#checks.x86_64-linux" --apply 'checks: builtins.concatStringsSep "\n" (builtins.attrNames checks)'; then
    bad "$name" "$(reason)"
    return
  fi
  mapfile -t checks < "$work/out"
  for check in "${checks[@]}"; do
    name="locked inputs: $check"
    case $check in
      evaluation-*)
        if locked eval --raw "path:$flake#checks.x86_64-linux" --apply "checks: ($results) { inherit (checks) $check; }"; then
          while IFS=$'\t' read -r test result; do
            if [ "$result" = passed ]; then ok "locked inputs: $test"; else bad "locked inputs: $test" "$(printf '%b' "$result")"; fi
          done < "$work/out"
        else
          bad "$name" "$(reason)"
        fi
        ;;
      *)
        if locked eval --raw "path:$flake#checks.x86_64-linux.$check.drvPath"; then ok "$name evaluates"; else bad "$name evaluates" "$(reason)"; fi
        ;;
    esac
  done
}
