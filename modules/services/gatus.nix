# A status page. It continuously asks every service with a site what a deploy asks it.
{ lib, config, ... }:
let
  cfg = config.homelab.services.gatus;
  endpoint = import ../endpoint.nix lib;
  asked = lib.filterAttrs (
    name: service: name != "gatus" && service.siteList != [ ] && service.port != null
  ) config.homelab.enabledServices;

  # On loopback, because the page has no login. `pat` is Gatus's name for a pattern.
  endpointOf = _: service: {
    name = service.title;
    inherit (service) group;
    url = "${service.scheme}://${endpoint service.bind service.port}${service.siteCheck.path}";
    inherit (cfg) interval;
    client.insecure = service.proxy.insecureUpstream;
    conditions = [
      "[STATUS] == ${toString service.siteCheck.status}"
    ]
    ++ lib.optional (service.siteCheck.contains != null) "[BODY] == pat(*${service.siteCheck.contains}*)";
  };
in
{
  options = import ../shipped.nix lib "gatus" {
    interval = lib.mkOption {
      type = lib.types.strMatching "[0-9]+(s|m|h)";
      default = "1m";
      description = "How often each service is asked.";
    };
  };

  config = lib.mkMerge [
    {
      homelab.services.gatus = import ../defaults.nix lib {
        title = "Status";
        description = "What answers, and since when";
        icon = "gatus.svg";
        group = "Observability";
        weight = 40;
        unit = "gatus.service";
        port = 8083;
        health.api.kind.http = {
          path = "/health";
          contains = "UP";
        };
        metrics.default = { };
        access = {
          open = [ "read" ];
          note = "Everybody who sees the page sees which services there are.";
        };
        noBackupReason = "remembers the last hours in memory alone";
      };
    }

    (lib.mkIf cfg.enable {
      services.gatus = {
        enable = true;
        settings = {
          web = {
            address = cfg.bind;
            inherit (cfg) port;
          };
          metrics = true;
          storage.type = "memory";
          endpoints = lib.mapAttrsToList endpointOf asked;
        };
      };
    })
  ];
}
