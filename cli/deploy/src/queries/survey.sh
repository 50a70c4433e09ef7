# Prints what `deploy adopt` reads of a machine. Changes nothing.
# Needs sh, cat, tr, sed, grep, sort, head, ls, id, uname and readlink; it makes do without the others.
say() { printf '@%s %s\n' "$1" "$2"; }
from() {
  printf '@file %s\n' "$1"; shift
  "$@" 2>/dev/null | sed 's/^/|/'; echo '@endfile'
}
root=
[ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || root='sudo -n'
[ ! -e /run/current-system/nixos-version ] || say nixos yes
say os "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"')"
say host "$(uname -n)"
say machine "$(uname -m)"
say user "$(id -un)"
say key "$(cat /etc/ssh/ssh_host_ed25519_key.pub 2>/dev/null)"
from state grep -hs stateVersion /etc/nixos/configuration.nix /etc/nixos/flake.nix /etc/nixos/*.nix
for link in $(ls -d /nix/var/nix/profiles/system-*-link 2>/dev/null | sort -t- -k2 -n); do
  say first "$(cat "$link/nixos-version" 2>/dev/null)"
  break
done
[ ! -e /boot/grub/grub.cfg ] || say grub yes
from grubState $root cat /boot/grub/state
[ ! -e /boot/extlinux/extlinux.conf ] || say extlinux yes
for esp in /boot /efi /boot/efi; do
  [ ! -e "$esp/loader/loader.conf" ] || { say systemdBoot "$esp"; break; }
done
[ ! -d /sys/firmware/efi/efivars ] || say efi yes
from hardware $root nixos-generate-config --show-hardware-config
from mounts cat /proc/self/mounts
from swaps cat /proc/swaps
echo '@file disks'
for link in /dev/disk/by-uuid/*; do
  [ -e "$link" ] && printf '|%s %s\n' "$link" "$(readlink -f "$link")"
done
echo '@endfile'
from addresses ip -o -4 address show scope global
from route ip -4 route show default
from nameservers grep '^nameserver ' /etc/resolv.conf
