# Runs inside the hosts' root with a layer above it, once: installs the programs that the
# services of this repository's flake run, where Debian has them. Debian's own units for
# them stay off. Its text is part of the layer's version.
set -eu
export DEBIAN_FRONTEND=noninteractive

apt-get update -q
apt-get install -q -y --no-install-recommends prometheus-node-exporter restic victoria-metrics
systemctl disable prometheus-node-exporter.service victoria-metrics.service

# trixie's Caddy does not know today's options. Sid's program alone: it needs libc only.
echo 'deb http://deb.debian.org/debian sid main' > /etc/apt/sources.list.d/sid.list
apt-get update -q
cd /var/tmp
apt-get download -q caddy/sid
dpkg-deb --fsys-tarfile caddy_*.deb | tar -x -C / ./usr/bin/caddy
rm -f caddy_*.deb /etc/apt/sources.list.d/sid.list
/usr/bin/caddy version

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin

# The name that NixOS's module calls.
ln -s prometheus-node-exporter /usr/bin/node_exporter
rm -f /etc/resolv.conf
