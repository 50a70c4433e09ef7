# Runs on a builder, over the operator's login: prints what it knows of the closure of $OUTS, and
# sends it to a machine with the one-time key that it then reads. Ends as soon as its stdin does.
# Needs sh, cat, kill, mktemp, rm, xargs, ssh and Nix.
umask 077
failed() {
  echo "@failed $1"
  exit 1
}
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM PIPE
folder=
# Where a key touches no disk, if there is such a place.
for place in "${XDG_RUNTIME_DIR:-}" /dev/shm "${TMPDIR:-/tmp}"; do
  [ -n "$place" ] && folder=$(mktemp -d "$place/deploy-push.XXXXXX" 2> /dev/null) && break
done
case $folder in
  '' | *[!A-Za-z0-9/._-]*) failed "there is no folder for a key" ;;
esac
nix-store --query --requisites $OUTS > "$folder/closure" || failed "Nix cannot list what it built"
xargs nix-store --dump-db < "$folder/closure" || failed "Nix cannot list what it built"
echo @listed

IFS= read -r address || exit
IFS= read -r port || exit
while IFS= read -r line && [ "$line" != @known ]; do printf '%s\n' "$line"; done > "$folder/key"
while IFS= read -r line && [ "$line" != @end ]; do printf '%s\n' "$line"; done > "$folder/known"
[ "$line" = @end ] || exit

# Nothing of the builder's own settings, keys and known hosts counts, and nothing of it is lent.
NIX_SSHOPTS="-F /dev/null -i $folder/key -p $port -o IdentitiesOnly=yes -o IdentityAgent=none \
-o BatchMode=yes -o PreferredAuthentications=publickey -o StrictHostKeyChecking=yes \
-o UserKnownHostsFile=$folder/known -o GlobalKnownHostsFile=/dev/null -o HostKeyAlias=machine \
-o ControlPath=none -o ClearAllForwardings=yes -o ForwardAgent=no -o ConnectTimeout=5 \
-o ServerAliveInterval=5 -o ServerAliveCountMax=6"
export NIX_SSHOPTS
exec 3<&0
nix --extra-experimental-features nix-command copy --no-check-sigs --log-format internal-json -v \
  $SUBSTITUTE --to "ssh-ng://$address" -- $OUTS < /dev/null 3<&- &
copy=$!
# When the operator is gone, so is the push.
{
  cat > /dev/null
  [ -e "$folder/over" ] || kill "$copy"
} <&3 2> /dev/null &
exec 3<&-
wait "$copy"
status=$?
: > "$folder/over"
echo "@ended $status"
wait
