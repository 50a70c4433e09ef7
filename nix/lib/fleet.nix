# Turns a folder with a folder per machine into configurations and deploy nodes.
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
  roles ? { },
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

  unknownRoles = lib.subtractLists [ "gateway" "monitor" "logs" ] (lib.attrNames roles);
  strangers = lib.subtractLists (lib.subtractLists images folders) (lib.attrValues roles);
  checkedRoles =
    if unknownRoles != [ ] then
      throw "roles: there is no ${lib.concatStringsSep ", " unknownRoles}; there are gateway, monitor and logs"
    else if strangers != [ ] then
      throw "roles: ${baseNameOf machines} has no machine ${lib.concatStringsSep ", " strangers}. It has ${lib.concatStringsSep ", " (lib.subtractLists images folders)}."
    else
      roles;

  # The machines belong to the caller and use its inputs and its nixpkgs.
  own = self.inputs or inputs;

  configurationOf =
    name:
    (own.nixpkgs or inputs.nixpkgs).lib.nixosSystem {
      specialArgs = {
        inputs = own // {
          inherit self;
        };
        machineName = name;
      }
      // specialArgs;
      modules = [
        inputs.self.nixosModules.default
        (own.agenix or inputs.agenix).nixosModules.default
        (own.disko or inputs.disko).nixosModules.disko
        (machines + "/${checked name}")
        {
          # Installers are not part of the fleet.
          homelab.fleet = lib.mkIf (!lib.elem name images) (
            lib.mapAttrs (_: lib.mkDefault) checkedRoles
            // {
              inherit name;
              machines = lib.mapAttrs (_: machine: machine.config) (removeAttrs nixosConfigurations images);
            }
          );
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
