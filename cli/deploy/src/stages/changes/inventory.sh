# What a system is made of. $SYSTEM: its store path. Changes nothing.
nix-store --query --requisites "$SYSTEM" | sed 's/^/@path /'
for part in kernel initrd kernel-modules systemd; do
  [ ! -e "$SYSTEM/$part" ] || printf '@part %s %s\n' "$part" "$(readlink -f "$SYSTEM/$part")"
done
cd "$SYSTEM/etc/systemd/system" 2>/dev/null || exit 0
for unit in *; do
  [ -d "$unit" ] || printf '@unit %s\n' "$unit"
done | while read -r word unit; do
  printf '%s %s %s\n' "$word" "$unit" "$(readlink -f "$unit")"
done
