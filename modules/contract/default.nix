# The contract: a service is declared once, here, and everything else is derived
# from the merged set. No freeform type anywhere: a typo is an error.
{ lib, ... }:
{
  _class = "nixos";

  options.homelab.services = lib.mkOption {
    type = lib.types.attrsOf (lib.types.submodule ./service.nix);
    default = { };
    description = ''
      The services of this machine. Shipped modules fill in their own entry; a
      foreign service (a container, a box on the LAN) is exposed by the same
      stanza. Sites, tiles, scrape jobs, log labels, data sources, dashboards,
      alerts, firewall, backups and the deploy's checks come from this set and
      from nothing else.
    '';
    example = lib.literalExpression ''
      {
        notes = {
          title = "Notes";
          unit = "notes.service";
          port = 8000;
          sites = [ "notes.local.example.org" ];
          health.api.kind.http.path = "/health";
          backup = { };
        };
      }
    '';
  };
}
