# Run as root on a machine while something comes into its store: says @mark once that may begin,
# and @synced once its stdin has ended and all of it is on the disk. Needs sh, cat, chmod, comm,
# cp, mkdir, mktemp, mv, rm, rmdir, sort, sync, wc and xargs.
#
# A mark lists what was valid and on the disk when a push began, and has that boot's id in its
# name. One of another boot is left by a push that a restart cut off: what became valid since
# may be empty or cut short, and Nix would trust it.
set -e
# When deploy is gone, the mark goes all the same.
trap '' PIPE
export LC_ALL=C
# What root makes here is root's alone, whatever the login's umask is.
umask 077
state=/nix/var/deploy-agent
boot=$(cat /proc/sys/kernel/random/boot_id)
work=$(mktemp -d /run/deploy-push.XXXXXX)
new=$state/.${work##*/} made=
trap 'rm -rf "$work" "$new"; [ -z "$made" ] || rmdir "$made" 2> /dev/null || :' EXIT
valid() {
  nix --extra-experimental-features nix-command path-info --all > "$work/unsorted"
  sort "$work/unsorted" > "$work/valid"
}

stale=
for mark in "$state"/push.*; do
  case $mark in
    "$state/push.*" | "$state/push.$boot".*) continue ;;
  esac
  [ -n "$stale" ] || valid
  stale="$stale $mark"
  comm -13 "$mark" "$work/valid" >> "$work/suspects"
done

if [ -s "$work/suspects" ]; then
  # By the hundred, as almost all are whole; one by one only where one is not.
  sort -u "$work/suspects" | xargs -n 100 sh -c '
    nix-store --verify-path "$@" 2> /dev/null && exit
    for path; do nix-store --verify-path "$path" 2> /dev/null || echo "$path"; done
  ' sh > "$work/damaged"
fi
if [ -s "$work/damaged" ]; then
  # Nix deletes nothing that something valid refers to, and nothing that is in use.
  xargs nix-store --query --referrers-closure < "$work/damaged" | sort -u > "$work/deleted"
  nix-store --delete $(cat "$work/deleted") > /dev/null
  printf '@damaged %s\n' "$(wc -l < "$work/damaged")" || :
fi

[ -d "$state" ] || made=$state
mkdir -p "$state"
chmod 700 "$state"
valid
# First the list, then the sync: what is on the list is on the disk.
cp "$work/valid" "$new"
sync -f /nix/store
sync "$new"
mark=$state/push.$boot.${work##*.}
mv "$new" "$mark"
rm -f $stale
sync "$state" "${state%/*}"
echo @mark || :

cat > /dev/null
# Before the mark goes: a-power-cut-after-the-push-leaves-the-store-whole.
sync -f /nix/store
rm -f "$mark"
echo @synced
