# Configurations for tests. A value of a machine counts only if the whole machine evaluates, so its
# system is evaluated first: a definition that conflicts with NixOS's fails every test about that
# machine.
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
    # The path of the machine's key.
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
        # Some secrets of the tests do not exist.
        warn = lib.mkDefault false;
      };
    }
  ];
in
rec {
  # whole MACHINE: the same machine after its system was evaluated, also for `extendModules`.
  whole =
    machine:
    machine
    // {
      config = builtins.seq machine.config.system.build.toplevel.drvPath machine.config;
      extendModules = arguments: whole (machine.extendModules arguments);
    };

  # plainSystem MODULES: a machine that has only MODULES of this flake.
  plainSystem = modules: system ([ plain ] ++ modules);

  # smallest MODULES: the smallest machine with all of this flake that NixOS allows. MODULES is a
  # list, or `{ withAgenix = false; modules }`.
  smallest =
    modules: system (if lib.isList modules then common ++ agenix ++ modules else common ++ modules.modules);

  # evaluate MODULES: the configuration of a machine with these modules.
  evaluate = modules: (whole (smallest modules)).config;

  # refused MODULES: the configuration of a machine that may be refused and so has no system.
  refused = modules: (smallest modules).config;
}
