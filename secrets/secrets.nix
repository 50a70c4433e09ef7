# Who can read which secret, as agenix's rules. The services declare the names; `deploy plan` lists
# files that do not exist yet.
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
