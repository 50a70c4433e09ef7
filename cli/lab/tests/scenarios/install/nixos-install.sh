#!/bin/sh
# In place of nixos-install on a host of the lab, whose root is also what /mnt is.
set -eu
while [ $# -gt 0 ]; do
  case $1 in
    --system) system=$2; shift ;;
  esac
  shift
done
sh /usr/local/lib/lab-install "$system"
printf 'ID=nixos\nPRETTY_NAME="NixOS of the lab"\n' > /etc/os-release
# The keys of the system that is installed.
[ ! -e /root/.ssh/installed_keys ] || mv /root/.ssh/installed_keys /root/.ssh/authorized_keys
