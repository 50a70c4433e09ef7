# The status page asks what a deploy asks, of each service with a site and of no other.
{ lib, evaluate, ... }:
let
  config = evaluate [
    {
      homelab = {
        tls.mode = "internal";
        services = {
          caddy.enable = true;
          gatus = {
            enable = true;
            sites = [ "status.example.org" ];
          };
          notes = {
            title = "Notes";
            group = "Home";
            port = 8000;
            sites = [ "notes.example.org" ];
            noBackupReason = "test";
            health.api.kind.http = {
              path = "/health?all";
              status = 401;
              contains = "ready";
            };
          };
          inner = {
            port = 8001;
            noHealthCheckReason = "test";
            noBackupReason = "test";
          };
        };
      };
    }
  ];
  inherit (config.services.gatus.settings) endpoints;
in
{
  "the status page asks each service with a site for what a deploy asks it" = {
    expr = map (entry: removeAttrs entry [ "client" ]) endpoints;
    expected = [
      {
        name = "Notes";
        group = "Home";
        url = "http://127.0.0.1:8000/health?all";
        interval = "1m";
        conditions = [
          "[STATUS] == 401"
          "[BODY] == pat(*ready*)"
        ];
      }
    ];
  };
}
