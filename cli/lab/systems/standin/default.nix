# A module of the stand-in for nixpkgs: its systems can be switched on a lab host.
#
# The stand-in knows which options there are and not what NixOS makes of them. What a host
# needs to be deployed to is made here from the same options: users, keys, sudo rules,
# activation scripts, /etc. Of units there are those that the project writes in full, and
# one stub for each check of its manifest (stubs.nix). All else, the switch itself and the
# boot loader among it, is that of systems made without nixpkgs (../raw, ../switch).
{
  config,
  lib,
  pkgs,
  options,
  modulesPath,
  ...
}:
let
  stubs = import ./stubs.nix {
    inherit lib pkgs;
    checks = config.homelab.manifest.checks or [ ];
    faults = builtins.fromJSON (builtins.readFile ./faults.json);
    real = [
      "sshd.service"
      "timers.target"
    ];
    realPorts = [ 22 ];
  };
  units = import ./units.nix { inherit lib; };

  # A unit that the project gives a command is taken as it is. One that it only adds to
  # (NixOS has the rest) keeps what is added, around its stub's command.
  written = lib.filterAttrs (_: service: service.serviceConfig ? ExecStart) project;

  # What the project says of services, without what the stand-in knows of NixOS's own modules:
  # their programs are not on a host.
  project =
    (lib.evalModules {
      modules = [
        {
          options.services = lib.mkOption {
            inherit (options.systemd.services) type;
            default = { };
          };
        }
      ]
      ++ map (definition: {
        _file = definition.file;
        config.services = definition.value;
      }) (lib.filter ({ file, ... }: !lib.hasPrefix "${toString modulesPath}/" (toString file)) options.systemd.services.definitionsWithLocations);
    }).config.services;

  # The nixpkgs stand-in names a script and does not write it: its path is not on a host.
  withoutScripts =
    service: service // { serviceConfig = removeAttrs service.serviceConfig (lib.optional (service.preStart != "") "ExecStartPre"); };

  services =
    lib.mapAttrs' (name: service: lib.nameValuePair "${name}.service" (units.service service { })) written
    // lib.mapAttrs (
      name: stub:
      let
        service = project.${lib.removeSuffix ".service" name} or null;
      in
      if service == null then units.plain stub else units.service (withoutScripts service) stub
    ) stubs.units;

  people = lib.filterAttrs (name: user: user.enable && name != "root" && name != "nobody") config.users.users;
  groupsOf = user: user.extraGroups ++ lib.optional (user.group != user.name && user.group != "users") user.group;

  systemPath = pkgs.runCommandLocal "system-path" { } ''
    mkdir -p $out/bin $out/lib
    ln -s /usr/lib/systemd $out/lib/systemd
    ln -s bin $out/sbin
    ln -s /usr/bin/* /usr/sbin/* $out/bin/ 2> /dev/null || :
    ${lib.concatMapStringsSep "\n" (program: "ln -sfn ${stubs.answer}/answer $out/bin/${program}") stubs.programs}
    ${lib.optionalString (config.deploy.agent.enable or false)
      "ln -sfn ${config.deploy.agent.package}/bin/deploy-agent $out/bin/"
    }
  '';

  activation = pkgs.writeText "activation" ''
    systemConfig=$1
    for group in ${toString (lib.attrNames config.users.groups)}; do
      getent group "$group" > /dev/null || groupadd --system "$group"
    done
    systemd-tmpfiles --create - < ${pkgs.writeText "tmpfiles" (lib.concatLines config.systemd.tmpfiles.rules)}
    ${config.system.build.activationText}
  '';

  raw = import ../raw {
    inherit (config.networking) hostName;
    release = config.system.nixos.label;
    inherit (config.system) stateVersion;
    platform = pkgs.stdenv.hostPlatform.system;
    kernelParams = config.boot.kernelParams;
    etcFiles = lib.mapAttrs' (_: entry: lib.nameValuePair entry.target entry.source) (
      lib.filterAttrs (name: entry: entry.enable && name != "hostname" && name != "os-release") config.environment.etc
    );
    users = lib.mapAttrs (_: user: { groups = groupsOf user; }) people;
    authorizedKeys = lib.filterAttrs (_: keys: keys != [ ]) (
      lib.mapAttrs (_: user: user.openssh.authorizedKeys.keys) config.users.users
    );
    sudoers = import ./sudoers.nix { inherit lib; } config.security.sudo;
    activation.nixos = ''exec bash -e ${activation} "$1"'';
    units = services;
    inherit systemPath;
    inherit (pkgs) writeText;
  };
  parts = lib.filterAttrs (_: value: builtins.isString value || lib.isDerivation value || builtins.isPath value) (
    removeAttrs raw.drvAttrs [
      "name"
      "system"
      "builder"
      "args"
      "PATH"
    ]
  );
in
{
  # It is asked about its configuration while a system is built.
  services.alloy.package = pkgs.writeShellScriptBin "alloy" "exit 0";

  system.systemBuilderCommands = ''
    for part in etc sw kernel initrd init activate bin nixos-version system kernel-params; do
      rm -rf "''${out:?}/$part"
    done
    ${lib.concatStrings (lib.mapAttrsToList (name: value: "${name}=${lib.escapeShellArg "${value}"}\n") parts)}
    . ${../raw/toplevel.sh}
  '';
}
