# The option reference, as Markdown.
{ inputs, lib }:
let
  evaluated = lib.evalModules {
    class = "nixos";
    specialArgs = { inherit inputs; };
    modules = [
      inputs.self.nixosModules.default
      {
        # Only this flake's options are wanted: what it sets of NixOS's is let pass.
        _module.check = false;
        _module.args.pkgs = inputs.nixpkgs.legacyPackages.x86_64-linux;
      }
    ];
  };

  ours = {
    inherit (evaluated.options) homelab deploy;
    services.deploy-agent = evaluated.options.services.deploy-agent;
  };
  listed = lib.filter (option: option.visible && !option.internal) (
    lib.optionAttrSetToDocList ours
  );

  code = text: if lib.hasInfix "\n" text then "\n\n```nix\n${text}\n```" else " `${text}`";
  field = label: value: lib.optionalString (value != null) "\n\n${label}:${code (lib.removeSuffix "\n" (value.text or value))}";

  entry =
    option:
    "## `${option.name}`\n\n"
    + lib.removeSuffix "\n" (option.description.text or option.description)
    + field "Type" option.type
    + field "Default" (option.default or null)
    + field "Example" (option.example or null)
    + "\n";
in
''
  # Options

  Generated from the modules by `nix run .#docs`; a check says when it is out of date.

''
+ lib.concatMapStringsSep "\n" entry (lib.sort (a: b: a.name < b.name) listed)
