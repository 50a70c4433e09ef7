# As much of NixOS and of deploy-rs's library as `deploy` looks at before it builds.
rec {
  derive =
    name: platform: inputs:
    derivation ({ inherit name; system = platform; builder = "/bin/sh"; } // inputs);

  # A NixOS configuration. What builds it is `buildPlatform`.
  nixos =
    {
      hostName,
      hostPlatform ? "x86_64-linux",
      buildPlatform ? hostPlatform,
      config ? { },
    }:
    {
      pkgs.stdenv.hostPlatform.system = hostPlatform;
      config = {
        networking = { inherit hostName; };
        nixpkgs.hostPlatform.system = hostPlatform;
        system.build.toplevel = derive "nixos-system-${hostName}" buildPlatform { };
      } // config;
    };

  # The library of one platform: what it makes is built there.
  lib = platform: {
    activate.nixos =
      configuration: derive "activatable" platform { base = configuration.config.system.build.toplevel; };
    activate.custom = base: script: derive "activatable" platform { inherit base script; };
    activate.darwin = base: derive "activatable-darwin" platform { inherit base; };
  };
  inherit (lib "x86_64-linux") activate;
  home = user: derive "home-manager-${user}" "x86_64-linux" { };
}
