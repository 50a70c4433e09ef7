# Users and groups that every NixOS has: nixos/modules/config/users-groups.nix,
# nixos/modules/misc/ids.nix. Only what the policies ask for.
{ lib, options, ... }:
{
  config.users = lib.mkIf (options.users ? users) {
    users.root.group = lib.mkDefault "root";
    groups.root.gid = lib.mkDefault 0;
  };
}
