#!/usr/bin/env bash
# What scripts/bench-secrets runs under the lab's Nix: `bench-secrets.sh INPUTS ROUNDS`.
set -euo pipefail
inputs=$1 rounds=$2 count=200
deploy=$PWD/dist/bin/deploy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
mkdir -p "$HOME/.ssh" "$work/repo/.git" "$work/repo/secrets"
sed 's/@ageBin@/age/g; s/@nixInstantiate@/nix-instantiate/g; s/@jqBin@/jq/g
  s/@mktempBin@/mktemp/g; s/@diffBin@/diff/g; s/@version@/locked/g' \
  "$inputs/agenix/pkgs/agenix.sh" > "$work/agenix"
chmod +x "$work/agenix"
cd "$work/repo/secrets"

keys=()
for key in id_ed25519 frame1 web; do
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$HOME/.ssh/$key"
  keys+=("$(cut -d' ' -f1,2 "$HOME/.ssh/$key.pub")")
done
rules() {
  local quoted
  quoted=$(printf '"%s" ' "$@")
  echo "builtins.listToAttrs (builtins.genList (n: { name = \"s\${toString n}.age\"; value.publicKeys = [ $quoted]; }) $count)" > secrets.nix
}
# Each round begins with files that two of the three can read.
begin() {
  rules "${keys[0]}" "${keys[1]}"
  "$deploy" secrets rekey > /dev/null
  rules "${keys[@]}"
}
rules "${keys[0]}" "${keys[1]}"
for ((n = 0; n < count; n++)); do
  head -c 64 /dev/urandom | base64 -w 0 | age -r "${keys[0]}" -r "${keys[1]}" -o "s$n.age"
done

# took NAME COMMAND...: appends the milliseconds to the file NAME.
took() {
  local name=$1 begun
  shift
  begun=$(date +%s%N)
  "$@" > "$work/said" 2>&1 || { cat "$work/said"; exit 1; }
  echo $((($(date +%s%N) - begun) / 1000000)) >> "$work/$name"
}
median() { sort -n "$work/$1" | sed -n "$((($(wc -l < "$work/$1") + 1) / 2))p"; }
evaluates() {
  nix --extra-experimental-features 'nix-command' eval --json --option restrict-eval true \
    -I "x=$work/repo" --apply 'builtins.mapAttrs (_: r: r.publicKeys)' --file secrets.nix
}

for ((round = 1; round <= rounds; round++)); do
  begin
  took deploy-rekey "$deploy" secrets rekey
  took evaluation evaluates
  took list "$deploy" secrets list --no-machines
  took check "$deploy" secrets check
  begin
  took agenix-rekey "$work/agenix" -r
  "$deploy" secrets check > /dev/null
  echo "round $round: deploy $(tail -n 1 "$work/deploy-rekey") ms, agenix $(tail -n 1 "$work/agenix-rekey") ms" >&2
done

# The most memory that a rekey of all takes, read every few milliseconds from the kernel's own peak.
begin
"$deploy" secrets rekey > /dev/null &
process=$! peak=0
while kill -0 $process 2> /dev/null; do
  now=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$process/status" 2> /dev/null) || true
  [ -z "$now" ] || peak=$now
done
wait $process

echo "| $count secrets, three readers, medians of $rounds | milliseconds |"
echo "|---|---|"
echo "| the rules' evaluation alone | $(median evaluation) |"
echo "| \`deploy secrets list --no-machines\` | $(median list) |"
echo "| \`deploy secrets check\` | $(median check) |"
echo "| \`deploy secrets rekey\` | $(median deploy-rekey) |"
echo "| \`agenix -r\` | $(median agenix-rekey) |"
echo
echo "rekey takes $((peak / 1024)) MiB of memory at most; agenix takes $(($(median agenix-rekey) / $(median deploy-rekey))) times as long"
