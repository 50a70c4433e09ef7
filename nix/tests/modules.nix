# nixosModules: each one alone on a plain NixOS system.
{ inputs, lib, plainSystem, ... }@arguments:
let
  shipped = import ./shipped arguments;
  inherit (inputs.self) nixosModules;
  evaluates =
    modules: builtins.isString (plainSystem modules).config.system.build.toplevel.drvPath;
  # A machine where something else serves sites and makes backups.
  elsewhere = {
    homelab.proxy.isProvided = true;
    homelab.backup.isProvided = true;
  };
in
lib.mapAttrs' (
  name: module:
  lib.nameValuePair "nixosModules.${name} changes nothing that does not evaluate" {
    expr = evaluates [ module ];
    expected = true;
  }
) nixosModules
// lib.mapAttrs' (
  name: _:
  lib.nameValuePair "nixosModules.${name} is enough for what its page shows" {
    expr = evaluates [
      nixosModules.${name}
      shipped.ground
      elsewhere
      (shipped.exampleOf name)
    ];
    expected = true;
  }
) shipped.modules
// {
  "there is a module for each shipped service, and the four that are none" = {
    expr = lib.subtractLists shipped.names (lib.attrNames nixosModules);
    expected = [
      "contract"
      "default"
      "deploy"
      "vm"
    ];
  };
  "a service of one's own needs no shipped one" = {
    expr = evaluates [
      nixosModules.contract
      elsewhere
      {
        homelab.tls.mode = "internal";
        homelab.services.notes = {
          port = 8000;
          sites = [ "notes.example.org" ];
          noBackupReason = "test";
        };
      }
    ];
    expected = true;
  };
}
