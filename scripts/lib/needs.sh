# shellcheck shell=bash
# The Debian packages that the scripts need. Sourced.

# The packages that all scripts need.
install_missing() {
  install_packages cc:gcc cc:libc6-dev git:git ip:iproute2 tc:iproute2 ssh:openssh-client \
    age:age ps:procps xz:xz-utils debootstrap:debootstrap mke2fs:e2fsprogs xorriso:xorriso \
    shellcheck:shellcheck
}

# install_packages PROGRAM:PACKAGE...: installs the Debian packages of missing programs.
install_packages() {
  local missing=() entry log
  for entry; do
    command -v "${entry%%:*}" > /dev/null || [[ " ${missing[*]-} " == *" ${entry#*:} "* ]] ||
      missing+=("${entry#*:}")
  done
  # The program that checks the workflow file needs this.
  python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    echo "error: please install ${missing[*]}" >&2
    exit 2
  fi
  echo "installing with apt (about 10 s): ${missing[*]}"
  log=$(mktemp)
  { apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
    > "$log" 2>&1 || { tail -n 20 "$log" >&2; exit 2; }
  rm -f "$log"
}

command -v cargo > /dev/null || { echo "error: Rust is missing: see https://rustup.rs" >&2; exit 2; }
