# A repository on the disk that it backs up is lost with that disk.
{ lib, config, ... }:
let
  cfg = config.homelab.services.restic;
  inherit (config.homelab) derived;

  # The file system of a path is the one with the longest mount point above it.
  isAbove = mount: path: mount == "/" || path == mount || lib.hasPrefix "${mount}/" path;
  mountOf =
    path:
    lib.foldl' (
      best: mount:
      if isAbove mount path && lib.stringLength mount > lib.stringLength best then mount else best
    ) "/" (lib.attrNames config.fileSystems);

  # The name of a disk without the suffix of a partition.
  parts = [
    "(/dev/disk/by-[a-z]+/.*)-part[0-9]+"
    "(/dev/disk/by-partlabel/disk-[^-]+)-.*"
    "(/dev/(nvme|mmcblk|nbd)[0-9]+(n[0-9]+)?)p[0-9]+"
    "(/dev/[a-z]+)[0-9]+"
  ];
  diskOf =
    path:
    let
      mount = mountOf path;
      device = (config.fileSystems.${mount} or { }).device or null;
      found = lib.findFirst (match: match != null) null (
        map (pattern: builtins.match pattern (toString device)) parts
      );
    in
    if device == null then
      mount
    else if found == null then
      device
    else
      lib.head found;

  folder = lib.removePrefix "local:" cfg.repository;
  saved = lib.concatMap (backup: backup.paths) (lib.attrValues derived.backups);
  isSame = lib.hasPrefix "/" folder && lib.elem (diskOf folder) (map diskOf saved);
in
{
  config.assertions = lib.mkIf cfg.enable [
    {
      assertion = !isSame || cfg.sameDiskReason != null;
      message = "backups go to ${folder}, on the disk that they are of, which takes both when it is lost: set homelab.services.restic.repository to another disk or host, or homelab.services.restic.sameDiskReason";
    }
  ];
}
