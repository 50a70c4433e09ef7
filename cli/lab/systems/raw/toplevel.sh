# Builder: the toplevel, with the names that NixOS's top-level.nix gives its parts.
mkdir -p "$out/bin" "$out/kernel-modules/lib/modules/$kernelVersion"
ln -s "$etc/etc" "$out/etc"
ln -s "$kernel/bzImage" "$out/kernel"
ln -s "$initrd/initrd" "$out/initrd"
ln -s "$systemPath" "$out/sw"
ln -s "$systemd" "$out/systemd"
ln -s "$activation" "$out/activation"
ln -s "$preSwitchChecks" "$out/pre-switch-checks"
ln -s "$switch/loader" "$out/boot-loader"
ln -s "$bootLoaderStep" "$out/boot-loader-step"
ln -s "$users" "$out/users"
[ -z "$ballast" ] || ln -s "$ballast" "$out/ballast"
[ -z "$contentsPath" ] || cp "$contentsPath" "$out/contents"
[ -z "$breaksOff" ] || printf '%s' "$breaksOff" > "$out/breaks-off"
printf '%s' "$initInterface" > "$out/init-interface-version"
printf '%s' "$release" > "$out/nixos-version"
printf '%s' "$platform" > "$out/system"
printf '%s' "$kernelParams" > "$out/kernel-params"
printf '#!/bin/sh\nexec /usr/lib/systemd/systemd "$@"\n' > "$out/init"
for script in activate dry-activate switch-to-configuration; do
  case $script in switch-*) to=$out/bin/$script ;; *) to=$out/$script ;; esac
  sed -e "s|@toplevel@|$out|g" -e "s|@switch@|$switch|g" "$switch/$script" > "$to"
  chmod 755 "$to"
done
chmod 755 "$out/init"
params=$(printf '"%s", ' $kernelParams)
cat > "$out/boot.json" <<EOF
{
  "org.nixos.bootspec.v1": {
    "init": "$out/init",
    "initrd": "$initrd/initrd",
    "kernel": "$kernel/bzImage",
    "kernelParams": [${params%, }],
    "label": "NixOS $release (Linux $kernelVersion)",
    "system": "$platform",
    "toplevel": "$out"
  },
  "org.nixos.specialisation.v1": {}
}
EOF
