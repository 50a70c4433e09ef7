# Runs inside the new root, once, when the root of all test hosts is made.
# Its text is part of the root's version: a change here makes a new root.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Nix comes second: its package starts from a working dbus and systemd.
apt-get install -q -y --no-install-recommends nix-bin nix-setup-systemd
apt-get clean
rm -rf /var/lib/apt/lists/*

# What a host in namespaces has no hardware, console or right for.
systemctl mask \
  console-getty.service getty@.service \
  systemd-modules-load.service systemd-networkd.service systemd-sysctl.service \
  systemd-udev-trigger.service systemd-udevd-control.socket \
  systemd-udevd-kernel.socket systemd-udevd.service
# Timers of Debian's own that would wake up in the middle of a test.
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer fstrim.timer
systemctl enable ssh.service

# Run at each start and each reload, and a host of the lab has nothing for them to find.
for generator in debug gpt-auto hibernate-resume rc-local system-update sysv tpm2; do
  rm -f "/usr/lib/systemd/system-generators/systemd-$generator-generator"
done
# With it, the kernel verifies 60 ms of programs at each start of systemd, a fifth of what a
# host's start costs; without, systemd goes on as on a system that has none.
if ls /usr/lib/*/libbpf.so.* 2> /dev/null; then
  echo "a package brought libbpf" >&2
  exit 1
fi

# Programs have these paths on every host; see nixos-places.sh.
mkdir -p /usr/lib/lab
ln -s ../../bin ../../sbin /usr/lib/lab/

# The journal survives a power cut as far as it was synced, as on NixOS.
mkdir -p /var/log/journal
: > /etc/fstab

cat > /etc/nix/nix.conf <<'END'
build-users-group = nixbld
experimental-features = nix-command flakes
sandbox = false
substituters =
trusted-users = root
warn-dirty = false
END

# Two people besides root: one whose sudo asks nothing, one whose sudo asks.
# As on NixOS, everybody may use the Nix daemon.
useradd --create-home --shell /bin/bash --groups nix-users admin
useradd --create-home --shell /bin/bash --groups nix-users askadmin
echo "askadmin:$ASKADMIN_PASSWORD" | chpasswd
cat > /etc/sudoers.d/lab <<'END'
admin ALL=(ALL:ALL) NOPASSWD: ALL
askadmin ALL=(ALL:ALL) ALL
END
chmod 0440 /etc/sudoers.d/lab

for home in /root /home/admin /home/askadmin; do
  mkdir -p "$home/.ssh"
  chmod 0700 "$home/.ssh"
done
chown -R admin:admin /home/admin
chown -R askadmin:askadmin /home/askadmin

# Each host makes its own at its first boot.
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/resolv.conf
: > /etc/machine-id
rm -f /etc/hostname
