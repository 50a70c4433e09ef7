# The contract, the derived values and the policies name no service.
{ inputs, lib, ... }:
let
  services = lib.attrNames inputs.self.nixosConfigurations.frame1.config.homelab.services;
  files =
    lib.concatMap lib.filesystem.listFilesRecursive [
      ../../modules/contract
      ../../modules/derived
      ../../modules/policy
    ]
    ++ [
      ../../modules/endpoint.nix
      ../../modules/paths.nix
    ];
  # Comments and descriptions count too, because they must not know a service either.
  words = file: lib.filter lib.isString (builtins.split "[^a-z0-9-]+" (lib.toLower (builtins.readFile file)));
  named = file: lib.intersectLists services (words file);
in
{
  "no derived module, policy or part of the contract names a service" = {
    expr = lib.filterAttrs (_: found: found != [ ]) (
      lib.listToAttrs (map (file: lib.nameValuePair (baseNameOf file) (lib.unique (named file))) files)
    );
    expected = { };
  };
  "the list of names is not empty" = {
    expr = lib.elem "grafana" services && lib.length services > 10;
    expected = true;
  };
}
