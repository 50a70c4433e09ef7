# there is no group of keys `friends`; there are admins, buildClients, machines
{ inputs, ... }:
{
  users.users.admin.openssh.authorizedKeys.keys = inputs.self.lib.sshKeys (import ../../../machines/keys.nix) [ "friends" ];
}
