# Configurations for tests. What a test reads of a machine counts only when the whole
# machine evaluates, so its system is evaluated first: a definition that conflicts with
# one of NixOS fails each test that speaks of the machine.
{ inputs, lib }:
let
  system =
    modules:
    lib.nixosSystem {
      specialArgs = { inherit inputs; };
      inherit modules;
    };
  agenix = [
    inputs.agenix.nixosModules.default
    # Where it looks for the machine's key.
    { age.identityPaths = [ "/etc/ssh/ssh_host_ed25519_key" ]; }
  ];
  plain = {
    nixpkgs.hostPlatform = "x86_64-linux";
    system.stateVersion = "26.05";
    networking.hostName = "test";
    boot.loader.grub.enable = false;
    fileSystems."/" = {
      device = "/dev/vda";
      fsType = "ext4";
    };
  };
  common = [
    inputs.self.nixosModules.default
    plain
    {
      homelab.secrets = {
        directory = ./secrets;
        # Some of the tests' own are missing.
        warn = lib.mkDefault false;
      };
    }
  ];
in
rec {
  # whole MACHINE: the same machine, that of `extendModules` too.
  whole =
    machine:
    machine
    // {
      config = builtins.seq machine.config.system.build.toplevel.drvPath machine.config;
      extendModules = arguments: whole (machine.extendModules arguments);
    };

  # plainSystem MODULES: a machine that has nothing of this flake but MODULES.
  plainSystem = modules: system ([ plain ] ++ modules);

  # smallest MODULES: as small as NixOS lets a machine with all of this flake be. MODULES is a
  # list, or `{ withAgenix = false; modules }`.
  smallest =
    modules: system (if lib.isList modules then common ++ agenix ++ modules else common ++ modules.modules);

  # evaluate MODULES: the configuration of a machine out of modules.
  evaluate = modules: (whole (smallest modules)).config;

  # refused MODULES: the configuration of a machine that may be refused: it has no system.
  refused = modules: (smallest modules).config;
}
