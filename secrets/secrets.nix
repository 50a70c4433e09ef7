# Who can read which secret: agenix's rules. The names are those that the services
# declare; a file that does not exist yet is listed by `deploy plan`.
let
  keys = import ../machines/keys.nix;
  readers = builtins.attrValues keys.admins ++ [ keys.machines.frame1 ];
in
builtins.listToAttrs (
  map
    (name: {
      name = "${name}.age";
      value.publicKeys = readers;
    })
    [
      "alert-watchdog"
      "alert-webhook"
      "dns-api-token"
      "grafana-admin-password"
      "grafana-secret-key"
      "restic-password"
      "tailscale-auth-key"
    ]
)
