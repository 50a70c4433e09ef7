# Prints the parts of a system. $SYSTEM: its store path. Changes nothing.
nix-store --query --requisites "$SYSTEM" | sed 's/^/@path /'
for part in kernel initrd kernel-modules systemd; do
  [ ! -e "$SYSTEM/$part" ] || printf '@part %s %s\n' "$part" "$(readlink -f "$SYSTEM/$part")"
done
cd "$SYSTEM/etc/systemd/system" 2>/dev/null || exit 0
# Compare contents and not paths: a new store path alone restarts nothing.
find -L . -type f -exec cksum {} + | sed 's/^/@unit /'
# Masked units, and broken links to units of another system.
find -L . ! -type f ! -type d -exec printf '@masked %s\n' {} +
