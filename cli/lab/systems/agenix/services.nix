# Secrets by agenix on a lab host, with this repository's modules: `reader` shows which secrets it
# has read, and `other` reads none.
{
  lib,
  config,
  inputs,
  pkgs,
  ...
}:
let
  names = import ./names.nix;
in
{
  imports = [ inputs.deploy.inputs.agenix.nixosModules.default ];

  # agenix asks for it, and the module tree of August 2024 has no such option yet.
  options.services.userborn.enable = lib.mkEnableOption "";

  config.networking.hostName = "frame1";
  config.deploy.ssh = {
    hostname = "frame1";
    user = "root";
  };
  config.homelab = {
    secrets.directory = ./secrets;
    services.reader = {
      unit = "reader.service";
      noBackupReason = "has no state";
      noHealthCheckReason = "reads a file";
      secrets = lib.genAttrs names (_: {
        owner = "reader";
        group = "reader";
        mode = "0440";
        restartUnits = [ "reader.service" ];
        generator = {
          kind = "random";
          length = 20;
        };
      });
    };
  };
  config.users.users.reader = {
    isSystemUser = true;
    group = "reader";
  };
  config.users.groups.reader = { };
  config.systemd.services.reader = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      User = "reader";
      RuntimeDirectory = "reader";
    };
    script = ''
      for name in ${toString names}; do
        sha256sum < ${config.homelab.secrets.providers.agenix.folder}/$name > /run/reader/$name
      done
      exec sleep infinity
    '';
  };
  config.systemd.services.other = {
    wantedBy = [ "multi-user.target" ];
    script = "exec sleep infinity";
  };
}
