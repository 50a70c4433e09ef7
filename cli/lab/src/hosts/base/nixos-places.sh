# Runs inside the hosts' root with a layer above it, once: moves every program to where
# nobody looks by habit, as on NixOS. What is left in the usual places is what NixOS has
# there, /bin/sh and /usr/bin/env, and `mount`, `umount` and `unix_chkpwd`, whose paths are
# compiled into Debian's systemd and PAM. There is no /lib64, so only a static program runs as it is.
# Its text is part of the layer's version.
set -eu
places=/usr/lib/lab
loader=$(readlink -f /lib64/ld-linux-x86-64.so.2)
nixos_path=/run/wrappers/bin:/run/current-system/sw/bin

rm -rf "$places"
mkdir -p "$places"
cp -a /usr/bin "$places/bin"
cp -a /usr/sbin "$places/sbin"

# A link to a program by its usual path, also by way of /etc/alternatives.
for link in $(find "$places" -type l -lname '/*'); do
  target=$(readlink -f "$link")
  case $target in
    /usr/bin/* | /usr/sbin/*) ln -sfn "$places${target#/usr}" "$link" ;;
  esac
done

# Dynamic programs name their loader, scripts their interpreter.
find "$places" /usr/lib /usr/libexec -xdev -type f -perm /111 ! -name '*.so*' |
  while read -r file; do
    if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
      ! patchelf --print-interpreter "$file" > /dev/null 2>&1 ||
        patchelf --set-interpreter "$loader" "$file"
    elif [ "$(head -c 2 "$file")" = '#!' ]; then
      sed -i -E "1s,^#! ?(/usr)?/bin/(bash|perl|python3),#!$places/bin/\2," "$file"
    fi
  done
find /usr/lib/systemd/system /usr/lib/systemd/user -type f |
  xargs sed -i -E "s,(/usr)?/(s?bin)/([a-z]),$places/\2/\3,g
    s,^(Exec[A-Za-z]+=[-@:+!|]*)([a-z]),\1$places/bin/\2,"
mkdir -p /usr/lib/systemd/system/nix-daemon.service.d
printf '[Service]\nEnvironment=NIX_BIN_DIR=%s/bin\n' "$places" \
  > /usr/lib/systemd/system/nix-daemon.service.d/places.conf

sed -i -E "s,:(/usr)?/(s?bin)/([a-z]+)\$,:$places/\2/\3," /etc/passwd
sed -i -E "s,^(\s*)PATH=.*,\1PATH=\"$nixos_path\"," /etc/profile
printf 'PATH=%s\n' "$nixos_path" > /etc/environment
printf 'Defaults secure_path="%s"\n' "$nixos_path" > /etc/sudoers.d/places
chmod 0440 /etc/sudoers.d/places

# From here on only the moved programs are left.
PATH=$places/sbin:$places/bin
export PATH
hash -r
cp -a "$places/bin/dash" "$places/sh.new"
rm -rf /usr/bin /usr/sbin /lib64
mkdir /usr/bin /usr/sbin
mv "$places/sh.new" /usr/bin/sh
cp -a "$places/bin/env" "$places/bin/mount" "$places/bin/umount" /usr/bin/
cp -a "$places/sbin/unix_chkpwd" /usr/sbin/
