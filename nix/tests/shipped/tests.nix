# A shipped service is its module and its page.
{ lib, smallest, ... }@arguments:
let
  shipped = import ./. arguments;
  machine = smallest ([ shipped.ground ] ++ map shipped.exampleOf shipped.names);
  inherit (machine.config.homelab) services;
  off = (smallest [ ]).config.homelab;
in
{
  "each has a page" = {
    expr = lib.filter (name: !builtins.pathExists (shipped.pageOf name)) shipped.names;
    expected = [ ];
  };
  # Two are for those who look among the services for what a command does.
  "each page is of a shipped service, or leads to a page of a command" = {
    expr = lib.subtractLists (map (name: "${name}.md") shipped.names) (
      lib.attrNames (builtins.readDir ../../../docs/services)
    );
    expected = [
      "installation.md"
      "installer-iso.md"
    ];
  };
  "each is a service of the contract under its module's name, and its page shows how it is enabled" = {
    expr = lib.filter (name: !(services.${name} or { enable = false; }).enable) shipped.names;
    expected = [ ];
  };
  "none is enabled by itself" = {
    expr = lib.attrNames off.enabledServices;
    expected = [ ];
  };
  "each says what people can do with it, and what it is" = {
    expr = lib.filter (
      name: services.${name}.access.open == null || services.${name}.description == ""
    ) shipped.names;
    expected = [ ];
  };
}
