# The shipped services. Each fills in its entry of the contract when it is enabled.
{
  _class = "nixos";

  imports = [
    ./caddy
    ./homepage.nix
    ./grafana.nix
    ./victoriametrics.nix
    ./loki.nix
    ./alloy
    ./node-exporter.nix
    ./tailscale.nix
    ./ssh.nix
    ./backup
    ./alerting
    ./remote-builder.nix
  ];
}
