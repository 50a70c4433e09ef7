# Prints the facts of a computer that is to be installed. Changes nothing. Needs sh, cat, sed, grep,
# tail, readlink, uname and lsblk; what else an installation needs and is missing is said.
# $DISKS: the devices that the configuration names, one a line.
say() { printf '@%s %s\n' "$1" "$2"; }
file() { echo "@file $1"; sed 's/^/|/'; echo; echo '@endfile'; }
say connection "$SSH_CONNECTION"
say machine "$(uname -m)"
say host "$(uname -n)"
cat /etc/os-release 2>/dev/null | file osRelease
say root "$(sed -n 's|^[^ ]* / \([^ ]*\) .*|\1|p' /proc/mounts | tail -n 1)"
say memory "$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)"
[ ! -d /sys/firmware/efi ] || say efi yes
columns=NAME,TYPE,SIZE,RO,MODEL,FSTYPE,LABEL,PTTYPE
# Before util-linux 2.37 a device has one mount point.
{ lsblk --json --bytes --paths --output "$columns,MOUNTPOINTS" 2>/dev/null ||
  lsblk --json --bytes --paths --output "$columns,MOUNTPOINT" 2>/dev/null; } | file blocks
printf '%s\n' "$DISKS" | while IFS= read -r device; do
  [ ! -e "$device" ] || printf '%s\t%s\n' "$(readlink -f "$device")" "$device"
done | file wanted
for link in /dev/disk/by-id/*; do
  case $link in *-part[0-9]*) continue ;; esac
  [ ! -e "$link" ] || printf '%s\t%s\n' "$(readlink -f "$link")" "$link"
done | file ids
interface() { # ADDRESS: the interface that has it
  ip -o address show 2>/dev/null | grep -F " $1/" | sed -n '1s/^[0-9]*: *\([^ ]*\) .*/\1/p'
}
is_wireless() { [ -e "/sys/class/net/$1/wireless" ] || [ -e "/sys/class/net/$1/phy80211" ]; }
# shellcheck disable=SC2086
set -- $SSH_CONNECTION
used=$(interface "${3:-none}")
if [ -n "$used" ] && is_wireless "$used"; then say wireless "$used"; fi
for folder in /sys/class/net/*; do
  name=${folder##*/}
  [ -e "$folder/device" ] && ! is_wireless "$name" || continue
  [ "$(cat "$folder/carrier" 2>/dev/null)" != 1 ] || say wired "$name"
done
for program in nixos-install nix-store tar cpio setsid lsblk flock; do
  command -v "$program" >/dev/null || say lacks "$program"
done
say facts end
