# Builder: isolinux, Debian's kernel, and an initrd that shows what the image has for it. A computer
# starts from it as a disc (El Torito) and as a stick (the MBR).
work=$(mktemp -d)
mkdir -p "$work/initrd" "$work/image/isolinux" "$work/image/boot" "$work/image/deploy" "$out/iso"
(cd "$work/initrd" && zcat /opt/vm/initrd.gz | cpio -i --quiet)
cp "$init" "$work/initrd/init"
chmod 755 "$work/initrd/init"
(cd "$work/initrd" && find . | cpio -o -H newc 2> /dev/null | gzip -1) > "$work/image/boot/initrd.gz"
cp /opt/vm/kernel "$work/image/boot/kernel"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/image/isolinux/"
# On a busy computer the emulated timer is late, and the kernel would stop.
# On a busy computer the emulated timer is late, and the kernel would stop for that.
cat > "$work/image/isolinux/isolinux.cfg" << 'END'
DEFAULT installer
LABEL installer
  LINUX /boot/kernel
  INITRD /boot/initrd.gz
  APPEND console=ttyS0 panic=-1 quiet no_timer_check
END
# As machines/installer-iso/wifi.nix reserves it.
{
  echo '# reserved for deploy iso'
  line=$(printf '%063d' 0 | tr 0 '#')
  for _ in $(seq 128); do echo "$line"; done
} > "$work/image/deploy/wifi"
xorriso -as mkisofs -quiet -V INSTALLER -r -J -o "$out/iso/installer-iso.iso" \
  -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -c isolinux/boot.cat -b isolinux/isolinux.bin \
  -no-emul-boot -boot-load-size 4 -boot-info-table "$work/image"
rm -rf "$work"
