#!/bin/bash
# firewall.sh IPTABLES NFT: that an address of the tailnet counts by its interface alone, with
# either of NixOS's firewalls: IPTABLES is what this flake adds to one, NFT a table for the
# other. A line per check, as programs.sh has them. Runs as root in a network of its own.
set -u
work=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2> /dev/null; wait' EXIT
try() {
  local name=$1
  shift
  if "$@" > "$work/said" 2>&1; then echo "ok    $name"; else
    echo "FAIL  $name"
    tail -n 15 "$work/said" | sed 's/^/      /'
  fi
}

# Another host, on the LAN and in the tailnet. Its second address on the LAN is one that a
# provider's NAT gives as well.
unshare --net sleep infinity & other=$!
started+=("$other")
until [ "$(readlink "/proc/$other/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do :; done
there() { nsenter --net="/proc/$other/ns/net" "$@"; }
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip link set lo up
for name in lan0 tailscale0; do
  ip link add "$name" type veth peer name "$name" netns "$other"
  ip link set "$name" up
  there ip link set "$name" up
done
ip address add 192.168.5.1/24 dev lan0
ip address add 100.64.0.1/24 dev tailscale0
ip address add 100.64.1.1/32 dev tailscale0
there ip address add 192.168.5.2/24 dev lan0
there ip address add 100.64.9.9/32 dev lan0
there ip address add 100.64.0.2/24 dev tailscale0
ip route add 100.64.9.9/32 dev lan0
there ip route add 100.64.1.1/32 dev lan0
for port in 22 80 443; do
  python3 -c "import socket; s = socket.create_server(('', $port)); s.listen()
while True: s.accept()[0].close()" & started+=($!)
done

# connects FROM TO PORT, and from this machine to itself.
connect="import socket, sys; socket.create_connection((sys.argv[2], int(sys.argv[3])), 2, (sys.argv[1], 0))"
connects() { there python3 -c "$connect" "$@"; }
itself() { python3 -c "$connect" 100.64.0.1 100.64.0.1 443; }
refused() { ! connects "$@" 2> /dev/null; }
until connects 192.168.5.2 192.168.5.1 443 2> /dev/null; do :; done

look() {
  try "$1: the tailnet reaches the proxy by its interface" connects 100.64.0.2 100.64.0.1 443
  try "$1: the LAN reaches the proxy" connects 192.168.5.2 192.168.5.1 443
  try "$1: an address of the tailnet that comes by the LAN does not" refused 100.64.9.9 192.168.5.1 443
  try "$1: nor by HTTP" refused 100.64.9.9 192.168.5.1 80
  try "$1: nor at the machine's address in the tailnet" refused 100.64.9.9 100.64.1.1 443
  try "$1: other ports are not the proxy's" connects 100.64.9.9 192.168.5.1 22
  try "$1: the machine reaches itself by its address in the tailnet" itself
}
try "without the rule an address of the tailnet is let in by the LAN" connects 100.64.9.9 192.168.5.1 443
try "and at the machine's address in the tailnet" connects 100.64.9.9 100.64.1.1 443

# NixOS's chains, as its firewall makes them; then everything that is allowed.
ip46tables() { iptables "$@" && ip6tables "$@"; }
for chain in nixos-fw nixos-fw-accept nixos-fw-refuse; do ip46tables -N $chain; done
ip46tables -A nixos-fw-accept -j ACCEPT
ip46tables -A nixos-fw-refuse -j DROP
ip46tables -A nixos-fw -p tcp -j nixos-fw-accept
# shellcheck source=/dev/null
. "$1"
ip46tables -A INPUT -j nixos-fw
look iptables
ip46tables -F

nft -f "$2" || echo "FAIL  nft takes the table"
look nftables
