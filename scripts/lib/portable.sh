# shellcheck shell=bash
# What was compiled for other platforms, kept with the hash of what it was compiled from.
# Sourced by what makes it (scripts/check-portable) and what uses it (scripts/build).

# In the folder of a hash: `macos` and `agent`, a line each that says when that passed, and
# the program deploy-agent-aarch64-linux.
portable_folder() {
  echo "$HOME/.cache/deploy-lab/portable/$(portable_hash)"
}

# Whatever can change the outcome: an edit of the check itself counts too.
portable_hash() {
  find cli Cargo.toml Cargo.lock scripts/build scripts/check-portable scripts/lib/{sid,portable}.sh \
    -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16
}

# portable_agent ARCHITECTURE: the agent that was made from these sources, or nothing.
portable_agent() {
  local folder
  folder=$(portable_folder)
  [ ! -s "$folder/agent" ] || find "$folder" -name "deploy-agent-$1-linux"
}
