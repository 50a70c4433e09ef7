# shellcheck shell=bash
# Builds for other platforms, kept by the hash of their sources. Sourced by the script that makes
# them (scripts/check-portable) and the one that uses them (scripts/build).

# The folder of a hash has `macos` and `agent`, a line each that says when that check passed, and
# the program deploy-agent-aarch64-linux.
portable_folder() {
  echo "$HOME/.cache/deploy-lab/portable/$(portable_hash)"
}

# The hash of everything that can change the outcome, including the check itself.
portable_hash() {
  find cli Cargo.toml Cargo.lock scripts/build scripts/check-portable scripts/lib/{sid,portable}.sh \
    -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16
}

# portable_agent ARCHITECTURE: prints the agent that was built from these sources, if there is one.
portable_agent() {
  local folder
  folder=$(portable_folder)
  [ ! -s "$folder/agent" ] || find "$folder" -name "deploy-agent-$1-linux"
}
