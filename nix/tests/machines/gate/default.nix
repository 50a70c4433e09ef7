# The gateway of all sites, with the metrics.
{
  imports = [ (import ../common.nix "100.64.0.1") ];
  homelab = {
    tls.mode = "internal";
    services = {
      caddy.enable = true;
      homepage = {
        enable = true;
        sites = [ "example.org" ];
      };
      victoriametrics = {
        enable = true;
        sites = [ "metrics.example.org" ];
      };
    };
  };
}
