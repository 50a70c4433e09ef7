# A folder with a folder per machine becomes configurations and deploy nodes.
{
  inputs,
  lib,
  node,
}:
{
  machines,
  self,
  secrets ? null,
  images ? [ ],
  modules ? [ ],
  specialArgs ? { },
}:
let
  folders = lib.attrNames (lib.filterAttrs (_: kind: kind == "directory") (builtins.readDir machines));
  where = name: "${baseNameOf machines}/${name}";

  checked =
    name:
    if builtins.match "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" name == null then
      throw "${where name}: the folder is the machine's name, and a host is named by lower case letters, digits and dashes, at most 63. Rename the folder."
    else if !builtins.pathExists (machines + "/${name}/default.nix") then
      throw "${where name}: there is no default.nix in it. Write the machine's module there, or move the folder out of ${baseNameOf machines}."
    else
      name;

  unknownImages = lib.subtractLists folders images;

  configurationOf =
    name:
    lib.nixosSystem {
      specialArgs = {
        inherit inputs;
        machineName = name;
      }
      // specialArgs;
      modules = [
        inputs.self.nixosModules.default
        inputs.agenix.nixosModules.default
        inputs.disko.nixosModules.disko
        (machines + "/${checked name}")
        {
          _file = "fleet of ${baseNameOf machines}";
          networking.hostName = lib.mkDefault name;
          system.configurationRevision = lib.mkDefault (self.rev or self.dirtyRev or null);
        }
      ]
      ++ lib.optional (secrets != null) { homelab.secrets.directory = lib.mkDefault secrets; }
      ++ modules;
    };

  nixosConfigurations =
    if unknownImages != [ ] then
      throw "images: ${baseNameOf machines} has no folder ${lib.concatStringsSep ", " unknownImages}. It has ${lib.concatStringsSep ", " folders}."
    else
      lib.genAttrs folders configurationOf;
in
{
  inherit nixosConfigurations;

  deploy.nodes = lib.mapAttrs (_: node) (removeAttrs nixosConfigurations images);
}
