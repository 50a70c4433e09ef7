# Runs inside the hosts' root with a layer above it, once: qemu, and in /opt/vm what a virtual
# machine of the lab is made of: a kernel, an initrd with stage-1 ($VM_STAGE_1), and the root below
# its disk; and what makes images that computers start from. Its text is part of the layer's version.
set -eu
export DEBIAN_FRONTEND=noninteractive
vm=/opt/vm
mkdir -p "$vm/root" "$vm/initrd"

apt-get update -q
apt-get install -q -y --no-install-recommends e2fsprogs

# The root as it is now, with what formats the disk. Links cost no space.
for folder in bin sbin lib lib64 etc usr var root home; do
  cp -al "/$folder" "$vm/root/"
done
rm -rf "$vm"/root/usr/share/doc "$vm"/root/usr/share/man "$vm"/root/usr/share/locale \
  "$vm"/root/usr/lib/git-core "$vm"/root/usr/share/zsh "$vm"/root/usr/share/fish
for folder in nix proc sys dev run tmp boot; do mkdir -p "$vm/root/$folder"; done
# A virtual machine has a power button, which logind hears of through udev.
for unit in systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
  systemd-udev-trigger.service; do
  rm -f "$vm/root/etc/systemd/system/$unit"
done

apt-get install -q -y --no-install-recommends qemu-system-x86 qemu-utils erofs-utils \
  busybox-static cpio xorriso isolinux syslinux-common
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -n 1)
version=${kernel#linux-image-}
cd /var/tmp
apt-get download -q "$kernel"
dpkg-deb -x "$kernel"_*.deb kernel
cp "kernel/boot/vmlinuz-$version" "$vm/kernel"

from=$PWD/kernel/usr/lib/modules/$version
to=$vm/initrd/lib/modules/$version
mkdir -p "$to"
cp "$from"/modules.order "$from"/modules.builtin "$from"/modules.builtin.modinfo "$to/"
depmod -b kernel/usr "$version"
for module in virtio_pci crc32c_generic virtio_blk virtio_net erofs ext4 overlay 9p 9pnet_virtio evdev button qemu_fw_cfg isofs; do
  modprobe --dirname kernel/usr --set-version "$version" --show-depends "$module"
done | sed -n 's/^insmod //p' | sort -u > depends
while read -r module _; do
  name=${module#"$from/"}
  name=${name#kernel/usr/lib/modules/"$version"/}
  mkdir -p "$to/${name%/*}"
  unxz < "$module" > "$to/${name%.xz}"
done < depends
mkdir -p "$vm"/initrd/bin "$vm"/initrd/proc "$vm"/initrd/sys "$vm"/initrd/dev
cp /usr/bin/busybox "$vm/initrd/bin/"
ln -s busybox "$vm/initrd/bin/sh"
depmod -b "$vm/initrd" "$version"
printf '%s' "$VM_STAGE_1" > "$vm/initrd/init"
chmod 755 "$vm/initrd/init"
(cd "$vm/initrd" && find . | cpio -o -H newc 2> /dev/null | gzip -1) > "$vm/initrd.gz"

rm -rf /var/tmp/kernel /var/tmp/depends /var/tmp/*.deb "$vm/initrd"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
rm -f /etc/resolv.conf
qemu-system-x86_64 --version
