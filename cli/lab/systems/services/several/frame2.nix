# A service for others, and one that listens on every address and is for nobody else.
{ config, ... }:
let
  answers = port: {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.DynamicUser = true;
    script = "exec /usr/bin/perl ${./systems/raw/services}/http ${toString port} 0:200";
  };
in
{
  homelab.services.notes = {
    title = "Notes";
    unit = "notes.service";
    bind = config.homelab.fleet.address;
    port = 8000;
    sites = [ "notes.local.kaifer.dev" ];
    noBackupReason = "has no state";
  };
  systemd.services.notes = answers 8000;
  systemd.services.inner = answers 8001;
}
