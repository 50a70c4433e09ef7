# The package that `deploy vm` builds: `vm.json`, the first boot files, and the program that makes the
# image of the store. NixOS's own start script (`system.build.vm`) does not fit: it makes another image
# of the store at each start, and starts the system that it was built with.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.virtualisation;
  hostPkgs = cfg.host.pkgs;
  inherit (config.system.build) toplevel;

  registration = hostPkgs.closureInfo { rootPaths = [ toplevel ]; };
  all = hostPkgs.closureInfo {
    rootPaths = [
      toplevel
      registration
    ];
  };

  # The store's image is made where the machine runs, so that a Mac fetches paths and not an image.
  makeStore = hostPkgs.writeShellScript "make-store" ''
    set -eu
    exec ${hostPkgs.squashfsTools}/bin/mksquashfs $(cat ${all}/store-paths) "$1" \
      -quiet -no-progress -no-hardlinks -keep-as-directory -all-root -comp zstd -Xcompression-level 3
  '';

  # As NixOS's builder for extlinux writes it, which replaces it at the first commit.
  boot = pkgs.runCommand "vm-boot" { } ''
    mkdir -p $out/extlinux $out/nixos
    copy() {
      source=$(readlink -f "$1")
      copied=$(echo "''${source#/nix/store/}" | tr / -)
      cp "$source" "$out/nixos/$copied"
    }
    copy ${toplevel}/kernel
    kernel=$copied
    copy ${toplevel}/initrd
    {
      echo "DEFAULT nixos-default"
      echo "LABEL nixos-default"
      echo "  LINUX ../nixos/$kernel"
      echo "  INITRD ../nixos/$copied"
      echo "  APPEND init=${toplevel}/init $(cat ${toplevel}/kernel-params)"
    } > $out/extlinux/extlinux.conf
  '';

  start = "run-${config.deploy.vm.name}-vm";

  arch = pkgs.stdenv.hostPlatform.qemuArch or (lib.head (lib.splitString "-" pkgs.stdenv.hostPlatform.system));
  description = {
    version = 1;
    inherit (pkgs.stdenv.hostPlatform) system;
    qemu = "${hostPkgs.qemu}/bin/qemu-system-${arch}";
    qemuImg = "${hostPkgs.qemu}/bin/qemu-img";
    makeStore = "${makeStore}";
    boot = "${boot}";
    kernelParams = [ "deploy.registration=${registration}/registration" ];
    memory = cfg.memorySize;
    inherit (cfg) cores;
    disk = cfg.diskSize;
    sites = lib.unique (map (site: site.host) (config.homelab.derived.sites or [ ]));
    needsKey = config.deploy.vm.secrets == "key";
  };
in
{
  options.deploy.vm.name = lib.mkOption {
    type = lib.types.str;
    default = config.networking.hostName;
    defaultText = lib.literalExpression "config.networking.hostName";
    description = "The machine's name in the flake, if it calls itself otherwise.";
  };

  config.system.build.deployVm =
    hostPkgs.runCommand "deploy-vm"
      {
        meta.mainProgram = start;
        description = builtins.toJSON description;
        passAsFile = [ "description" ];
      }
      ''
        mkdir -p $out/bin
        cp "$descriptionPath" $out/vm.json
        printf '#!/bin/sh\nexec deploy vm %s "$@"\n' ${config.deploy.vm.name} > $out/bin/${start}
        chmod 755 $out/bin/${start}
      '';
}
