# Options whose type merges an attribute set by name and no deeper (`types.attrs`): of two
# definitions of a name, one is silently lost. This test checks that our modules and NixOS's do not
# both define a name there. Types that merge deeper refuse two values of one name (`types.anything`
# too), so a test machine with such a clash does not evaluate.
{ inputs, lib, ... }:
let
  ownerOf = import ./owners.nix { inherit inputs lib; };

  # Definitions without conditions and priorities, because both may change.
  plain =
    definition:
    let
      inherit (definition) value;
      kind = value._type or null;
      go = value: plain (definition // { inherit value; });
    in
    if kind == "if" then
      lib.optionals value.condition (go value.content)
    else if kind == "merge" then
      lib.concatMap go value.contents
    else if kind == "override" || kind == "order" then
      go value.content
    else
      [ definition ];

  below =
    name: definitions:
    lib.concatMap (
      definition: lib.optionals (definition.value ? ${name}) (plain (definition // { value = definition.value.${name}; }))
    ) definitions;
  namesIn = definitions: lib.unique (lib.concatMap (definition: lib.attrNames definition.value) definitions);

  # Names that a module of ours and one of NixOS's both define, in options that merge no deeper.
  clashes =
    path: type: all:
    let
      definitions = lib.filter (definition: lib.isAttrs definition.value) all;
      inside = type.nestedTypes.elemType or null;
      each = of: lib.concatMap (name: of name (below name definitions)) (namesIn definitions);
      by = lib.groupBy (definition: definition.owner) definitions;
    in
    if !(by ? ours && by ? nixos) then
      [ ]
    else if type.name == "attrs" then
      map (name: lib.concatStringsSep "." (path ++ [ name ])) (
        lib.intersectLists (namesIn by.ours) (namesIn by.nixos)
      )
    else if type.name == "nullOr" then
      clashes path inside definitions
    else if lib.elem type.name [ "attrsOf" "lazyAttrsOf" ] then
      each (name: clashes (path ++ [ name ]) inside)
    else if type.name == "submodule" then
      each (name: clashesIn (path ++ [ name ]) ((type.getSubOptions path).${name} or { }))
    else
      [ ];
  clashesIn =
    path: options: definitions:
    if lib.isOption options then
      clashes path options.type definitions
    else
      lib.concatMap (
        name: clashesIn (path ++ [ name ]) (options.${name} or { }) (below name definitions)
      ) (namesIn (lib.filter (definition: lib.isAttrs definition.value) definitions));

  # The definitions of an option, with their origin.
  saidOf =
    option:
    lib.concatMap (
      { file, value, ... }:
      plain {
        owner = ownerOf (toString file);
        inherit value;
      }
    ) option.definitionsWithLocations;
  isOfBoth =
    option:
    let
      owners = map (file: ownerOf (toString file)) option.files;
    in
    # The stand-in for nixpkgs does not know some defaults.
    (builtins.tryEval (lib.elem "ours" owners && lib.elem "nixos" owners)).value;
  clashesOf =
    options:
    lib.concatMap (option: clashes option.loc option.type (saidOf option)) (
      lib.filter isOfBoth (lib.collect lib.isOption (removeAttrs options [ "_module" "homelab" "deploy" ]))
    );

  inherit (inputs.self.nixosConfigurations) frame1;
  # A definition as if NixOS's modules and ours both had it.
  said = folder: module: {
    _file = "${folder}/modules/example.nix";
    config = module;
  };
  example = frame1.extendModules {
    modules = [
      {
        options.services.example = lib.mkOption {
          type = lib.types.attrsOf (
            lib.types.submodule {
              options = {
                settings = lib.mkOption { type = lib.types.nullOr lib.types.attrs; };
                deep = lib.mkOption { type = lib.types.attrsOf lib.types.int; };
              };
            }
          );
        };
      }
      (said "${inputs.nixpkgs}" {
        services.example.one = {
          settings = {
            log.level = "info";
            theirs = 1;
          };
          deep.a = 1;
        };
      })
      (said "${inputs.self}" {
        services.example.one = lib.mkIf true {
          settings = {
            log = lib.mkDefault { format = "json"; };
            own = 1;
          };
          deep.b = 1;
        };
      })
    ];
  };
in
{
  "nothing that our modules say takes the place of what NixOS says, or the other way round" = {
    expr = clashesOf frame1.options;
    expected = [ ];
  };
  "two that say the same name of such an option are found" = {
    expr = clashesOf example.options.services.example;
    expected = [ "services.example.one.settings.log" ];
  };
}
