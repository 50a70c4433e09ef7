#!/bin/sh
# In place of nixos-anywhere: what its phases do on a host of the lab, by the flags that it documents.
# Like nixos-anywhere it checks no host key, so it must not get to another host than it is led to.
set -eu
options='-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no'
files=
while [ $# -gt 0 ]; do
  case $1 in
    --phases) phase=$2; shift ;;
    --build-on) shift ;;
    --store-paths) disko=$2 system=$3; shift 2 ;;
    --extra-files) files=$2; shift ;;
    --ssh-option) options="$options -o $2"; shift ;;
    --target-host) host=$2; shift ;;
    *) echo "unknown: $1" >&2; exit 2 ;;
  esac
  shift
done
# shellcheck disable=SC2086
on() { ssh $options "$host" "$@"; }
copy() { NIX_SSHOPTS=$options nix copy --no-check-sigs --to "ssh://$host$2" "$1"; }
echo "### phase $phase ###"
case $phase in
  disko)
    copy "$disko" ''
    on "$disko"
    ;;
  install)
    copy "$system" '?remote-store=local%3Froot=%2Fmnt'
    tar -C "$files" -cpf- . | on "tar -C /mnt -xf- --no-same-owner"
    on "chmod 755 /mnt; nixos-install --no-root-passwd --no-channel-copy --system $system"
    ;;
  reboot)
    on "nohup sh -c 'sleep 1 && reboot' > /dev/null 2>&1 &"
    while on true 2> /dev/null; do sleep 1; done
    ;;
esac
