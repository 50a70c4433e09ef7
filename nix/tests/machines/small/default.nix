# A machine with a service for the others, and one for itself.
{ config, ... }:
{
  imports = [ (import ../common.nix "100.64.0.3") ];
  homelab.services.notes = {
    unit = "notes.service";
    bind = config.homelab.fleet.address;
    port = 8000;
    sites = [
      {
        host = "notes.example.org";
        routes."/api/*".service = "api";
      }
    ];
    metrics.default = { };
    auth.kind = "native";
    noBackupReason = "test";
  };
  homelab.services.api = {
    bind = config.homelab.fleet.address;
    port = 8001;
    noHealthCheckReason = "test";
    noBackupReason = "test";
  };
  homelab.services.inner = {
    port = 8002;
    metrics.default = { };
    noHealthCheckReason = "test";
    noBackupReason = "test";
  };
  systemd.services.notes.script = "true";
}
