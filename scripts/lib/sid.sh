# shellcheck shell=bash
# Roots of Debian sid, for programs that stable releases lack or have in an old version. Each root
# is made once, in ~/.cache/deploy-lab, and never changed again. Sourced.

cache=$HOME/.cache/deploy-lab

# sid_root AFTER PACKAGE...: sets `sid` to the root that has these packages and in which the script
# AFTER ran; makes it if it is missing. If that fails, `sid_missing` says why.
# shellcheck disable=SC2034 # for the caller
sid_root() {
  local after=$1
  sid=$cache/sid-$(printf '%s\n' "${@:2}" ${after:+"$after"} | cksum | cut -d' ' -f1)
  if [ "$(id -u)" != 0 ]; then
    sid_missing="needs root"
    return 1
  fi
  [ ! -d "$sid" ] || return 0
  if ! command -v debootstrap > /dev/null; then
    sid_missing="needs debootstrap"
    return 1
  fi
  mkdir -p "$cache"
  local lock
  exec {lock}> "$cache/sid.lock"
  flock "$lock"
  if [ ! -d "$sid" ] && ! sid_make "$@" > "$sid.log" 2>&1; then
    rm -rf "$sid.new"
    sid_missing="Debian sid could not be installed, see $sid.log"
    return 1
  fi
  exec {lock}>&-
}

# The root is made under another name, so that an incomplete one is not taken for ready. `set -e`
# has no effect here, because the caller checks the status.
sid_make() {
  local after=$1 fill
  shift
  # shellcheck disable=SC2016 # expanded inside
  fill='
    root=$1 after=$2; shift 2
    mount -t proc proc "$root/proc"
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -o Dpkg::Options::=--force-unsafe-io \
      install -y -q --no-install-recommends "$@"
    [ -z "$after" ] || chroot "$root" /bin/sh -euc "$after"
    chroot "$root" apt-get clean'
  rm -rf "$sid.new" &&
    debootstrap --variant=minbase sid "$sid.new" &&
    # The settings with which this machine reaches Debian's mirror.
    cp /etc/resolv.conf "$sid.new/etc/" &&
    cp -rT /etc/apt/apt.conf.d "$sid.new/etc/apt/apt.conf.d" &&
    unshare --mount --propagation private bash -euc "$fill" _ "$sid.new" "$after" "$@" &&
    mv "$sid.new" "$sid"
}

# in_sid SCRATCH NETWORK [FOLDER|FILE INSIDE MODE]... -- [NAME=VALUE]... COMMAND...: runs a command
# in a temporary copy of the root, mounted below SCRATCH. NETWORK is `alone` or `shared`, MODE `ro`
# or `rw`.
in_sid() {
  local scratch=$1 network=()
  [ "$2" = shared ] || network=(--net)
  shift 2
  # shellcheck disable=SC2016 # expanded inside
  unshare --mount "${network[@]}" --pid --ipc --fork --kill-child --propagation private bash -euc '
    sid=$1 top=$2/root all=$2/root/all; shift 2
    mkdir -p "$top"; mount -t tmpfs tmpfs "$top"
    mkdir "$top"/{upper,scratch,all}
    mount -t overlay overlay -o "lowerdir=$sid,upperdir=$top/upper,workdir=$top/scratch" "$all"
    mount -t proc proc "$all/proc"; mount -t sysfs -o ro sysfs "$all/sys"; mount --rbind /dev "$all/dev"
    mount -t tmpfs tmpfs "$all/tmp"
    while [ "$1" != -- ]; do
      if [ -d "$1" ]; then mkdir -p "$all$2"; else mkdir -p "$all${2%/*}"; touch "$all$2"; fi
      mount --bind "$1" "$all$2"; mount -o "remount,bind,$3" "$all$2"
      shift 3
    done
    shift
    exec chroot "$all" /usr/bin/env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@"
  ' _ "$sid" "$scratch" "$@"
}
