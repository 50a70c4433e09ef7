# Who can read which secret: agenix's rules. `deploy secrets new home` makes those that are
# missing; `deploy plan` lists them.
let
  keys = import ../machines/keys.nix;
  readers = builtins.attrValues keys.admins ++ builtins.attrValues keys.machines;
in
{
  "restic-password.age".publicKeys = readers;
}
