# The options of a shipped service: the contract's fields and its own, both under
# `homelab.services.NAME`, off until somebody enables it.
#
# What its module says about the service must not stand under `lib.mkIf cfg.enable`: the
# condition would be a part of what it decides over.
lib: name: options:
let
  inherit (lib) mkOption types;
in
{
  homelab.services = mkOption {
    type = types.submodule {
      options.${name} = mkOption {
        type = types.submodule [
          ./contract/service.nix
          {
            _file = toString (./services + (if builtins.pathExists ./services/${name}.nix then "/${name}.nix" else "/${name}"));
            inherit options;
            # Weaker than a default of a module, stronger than the contract's own.
            config.enable = lib.mkOverride 1400 false;
          }
        ];
        default = { };
        description = "The shipped service ${name}.";
      };
    };
  };
}
