# Builder: `vm.json`, the first boot files, and the program that makes the image of the store.
mkdir -p "$out/boot/extlinux" "$out/boot/nixos"
copy() {
  source=$(readlink -f "$1")
  copied=$(printf '%s' "${source#/nix/store/}" | tr / -)
  cp "$source" "$out/boot/nixos/$copied"
}
copy "$toplevel/kernel"
kernel=$copied
copy "$toplevel/initrd"
cat > "$out/boot/extlinux/extlinux.conf" << END
DEFAULT nixos-default
LABEL nixos-default
  LINUX ../nixos/$kernel
  INITRD ../nixos/$copied
  APPEND init=$toplevel/init $(cat "$toplevel/kernel-params")
END
cat > "$out/make-store" << END
#!/bin/sh
# The root, the closure and its registration as one file system. The operator's key may log in.
set -eu
work=\$(mktemp -d)
trap 'rm -rf "\$work"' EXIT
chmod 755 "\$work"
closure=\$(nix-store --query --requisites $toplevel)
nix-store --dump-db \$closure > "\$work/nix-path-registration"
mkdir -p -m 700 "\$work/root/.ssh"
cat ~/.ssh/*.pub > "\$work/root/.ssh/authorized_keys"
tar --create -C /opt/vm/root . -C "\$work" . -C / \$(printf '%s\n' \$closure | sed 's,^/,,') |
  mkfs.erofs --quiet --tar=f "\$1"
END
chmod 755 "$out/make-store"
cat > "$out/vm.json" << END
{
  "version": 1,
  "system": "x86_64-linux",
  "qemu": "/usr/bin/qemu-system-x86_64",
  "qemuImg": "/usr/bin/qemu-img",
  "makeStore": "$out/make-store",
  "boot": "$out/boot",
  "kernelParams": [ "console=ttyS0", "panic=1", "systemd.getty_auto=no" ],
  "memory": 1024,
  "cores": 2,
  "disk": 4096,
  "sites": [ "notes.lan" ]
}
END
