# machine.json, version 1, out of one `deploy.nodes.NAME`. Builtins only, so that
# it can be used where there is no nixpkgs.
name: node:
let
  fields = [
    "tags"
    "system"
    "toplevel"
    "hostName"
    "ssh"
    "sudo"
    "build"
    "push"
    "confirm"
    "timeouts"
    "units"
    "checks"
    "rollback"
    "beforeActivate"
    "secrets"
    "agent"
    "revision"
  ];
in
{
  version = 1;
  inherit name;
  # deploy-rs's profiles; the system itself is `toplevel`.
  profiles = [ ];
}
// builtins.listToAttrs (
  map (field: {
    name = field;
    value = node.${field};
  }) (builtins.filter (field: node ? ${field}) fields)
)
