# Who can read which secret: agenix's rules. `agenix -e NAME.age` in this folder
# makes one; `deploy plan` lists those that are missing.
let
  keys = import ../machines/keys.nix;
  readers = builtins.attrValues keys.admins ++ builtins.attrValues keys.machines;
in
{
  "restic-password.age".publicKeys = readers;
}
