# The options of a shipped service: the contract's fields and its own, both under
# `homelab.services.NAME`. A service is off until it is enabled.
#
# What its module declares about the service must not be inside `lib.mkIf cfg.enable`, because the
# condition would depend on itself.
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
            # This is weaker than a module's default and stronger than the contract's own.
            config.enable = lib.mkOverride 1400 false;
          }
        ];
        default = { };
        description = "The shipped service ${name}.";
      };
    };
  };
}
