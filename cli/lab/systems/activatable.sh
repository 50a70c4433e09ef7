# Builder: see deploy-rs.nix.
mkdir -p "$out"
for part in "$base"/* ; do ln -s "$part" "$out/${part##*/}"; done
cat > "$out/deploy-rs-activate" <<EOF
#!/bin/bash
set -euo pipefail

if [[ "\${DRY_ACTIVATE:-}" == "1" ]]
then
    $dry
elif [[ "\${BOOT:-}" == "1" ]]
then
    $boot
else
    $script
fi
EOF
cat > "$out/activate-rs" <<EOF
#!/bin/bash
exec $activateRs "\$@"
EOF
chmod 755 "$out/deploy-rs-activate" "$out/activate-rs"
