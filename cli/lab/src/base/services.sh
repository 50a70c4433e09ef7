# Runs inside the hosts' root with a layer above it, once: installs the programs that the
# services of this repository's flake run, where Debian has them. Debian's own units for
# them stay off. Its text is part of the layer's version.
set -eu
export DEBIAN_FRONTEND=noninteractive

apt-get update -q
apt-get install -q -y --no-install-recommends caddy prometheus-node-exporter restic victoria-metrics
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
systemctl disable caddy.service prometheus-node-exporter.service victoria-metrics.service

# The name that NixOS's module calls.
ln -s prometheus-node-exporter /usr/bin/node_exporter
rm -f /etc/resolv.conf
