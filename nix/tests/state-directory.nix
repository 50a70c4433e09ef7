# Where a unit's state really is. /var/lib/NAME of a DynamicUser is a link, and a backup of it
# succeeds without a file.
{ lib, evaluate, ... }:
let
  pathsOf =
    serviceConfig:
    (evaluate [
      {
        homelab.services.thing = {
          unit = "thing.service";
          backup = { };
        };
        homelab.services.restic = {
          enable = true;
          repository = "sftp:nas:/backup";
        };
        systemd.services.thing = {
          script = "true";
          inherit serviceConfig;
        };
      }
    ]).homelab.derived.backups.thing.paths;
in
{
  "the state of a DynamicUser is in /var/lib/private" = {
    expr = pathsOf {
      DynamicUser = true;
      StateDirectory = "thing";
    };
    expected = [ "/var/lib/private/thing" ];
  };
  "the same when systemd's own word says it" = {
    expr = pathsOf {
      DynamicUser = "yes";
      StateDirectory = "thing";
    };
    expected = [ "/var/lib/private/thing" ];
  };
  "the state of a fixed user is in /var/lib" = {
    expr = pathsOf { StateDirectory = "thing"; };
    expected = [ "/var/lib/thing" ];
  };
  "several directories, one with another name for it" = {
    expr = pathsOf { StateDirectory = "one two:alias"; };
    expected = [
      "/var/lib/one"
      "/var/lib/two"
    ];
  };
}
