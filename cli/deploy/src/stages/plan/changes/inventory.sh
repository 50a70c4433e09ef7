# What a system is made of. $SYSTEM: its store path. Changes nothing.
nix-store --query --requisites "$SYSTEM" | sed 's/^/@path /'
for part in kernel initrd kernel-modules systemd; do
  [ ! -e "$SYSTEM/$part" ] || printf '@part %s %s\n' "$part" "$(readlink -f "$SYSTEM/$part")"
done
cd "$SYSTEM/etc/systemd/system" 2>/dev/null || exit 0
# What the files say decides, not where they are: a new store path alone restarts nothing.
find -L . -type f -exec cksum {} + | sed 's/^/@unit /'
# Masked units, and links to units that only another system has.
find -L . ! -type f ! -type d -exec printf '@masked %s\n' {} +
