# The shipped services by name. Each is NAME.nix or NAME/default.nix in ./services. Nothing else
# lists them: tests, documents and `nixosModules` use this list.
let
  entries = builtins.readDir ./services;
  nameOf =
    entry:
    let
      file = builtins.match "(.*)[.]nix" entry;
    in
    if file != null then
      file
    else if builtins.pathExists (./services + "/${entry}/default.nix") then
      [ entry ]
    else
      [ ];
in
builtins.listToAttrs (
  builtins.concatMap (
    entry:
    map (name: {
      inherit name;
      value = ./services + "/${entry}";
    }) (nameOf entry)
  ) (builtins.attrNames entries)
)
