# The contract: a service is declared once, here, and everything else is derived from the merged
# set. Only the names of services are free, so a misspelled field is an error.
{ lib, ... }:
{
  _class = "nixos";

  options.homelab.services = lib.mkOption {
    # Shipped services have further fields beside the contract's: ../shipped.nix.
    type = lib.types.submodule {
      freeformType = lib.types.attrsOf (lib.types.submodule ./service.nix);
    };
    default = { };
    description = ''
      The services of this machine. A shipped one is there already, and off until its
      `enable` is set; any other (a container, a box on the LAN) is declared by the same
      fields. Sites, tiles, scrape jobs, log labels, data sources, dashboards,
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
