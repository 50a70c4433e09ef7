# Prints the encrypted secrets of a system. $SYSTEM: its store path. Changes nothing.
# Its manifest has them; without one, agenix's own script says what it decrypts.
manifest=$SYSTEM/etc/deploy-agent/manifest.json
unit=$SYSTEM/etc/systemd/system/agenix-install-secrets.service
[ ! -r "$manifest" ] || { printf '@manifest '; tr -d '\n' < "$manifest"; echo; }
script=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit" 2>/dev/null)
agenix=$(sed -n -e 's/^ *_truePath="\(.*\)"$/\1/' -e 't path' \
  -e "s/^ *echo \"decrypting '\([^']*\)' to .*/\1/" -e 't file' -e d \
  -e ':path' -e h -e d -e ':file' -e G -e 's/\n/ /' -e p "$SYSTEM/activate" $script 2>/dev/null)
printf '%s\n' "$agenix" | sed -n 's/^./@agenix &/p'
{
  printf '%s\n' "$agenix" | sed 's/ .*//'
  grep -o '"file":"/nix/store/[^"]*"' "$manifest" 2>/dev/null | cut -d '"' -f 4
} | grep . | sort -u | xargs -r sha256sum 2>/dev/null | sed 's/^/@file /'
