# What a machine wants of a computer, and what `deploy install` puts there besides its system.
{ configurations, plain, plainDerivation }:
let
  inherit (builtins) attrNames concatLists filter map;
in
name:
let
  config =
    configurations.${name}.config
      or (throw "${name} cannot be installed: the flake has no nixosConfigurations.${name}");
  disks = config.disko.devices.disk or { };
  isOn = value: value.enable or false;
  loader = config.boot.loader or { };
  grub = loader.grub or { };
  grubDevices =
    (grub.devices or [ ]) ++ concatLists (map (boot: boot.devices or [ ]) (grub.mirroredBoots or [ ]));
  limine = loader.limine or { };
  sshd = config.services.openssh or { };
  ed25519 = filter (key: key.type == "ed25519") (sshd.hostKeys or [ ]);
  networking = config.networking or { };
  wireless = networking.wireless or { };
in
{
  disks = map (disk: { name = disk; device = toString disks.${disk}.device; }) (attrNames disks);
  disko =
    if disks == { } then
      null
    else
      plainDerivation "${name}.config.system.build.diskoScript" config.system.build.diskoScript;
  uefi =
    isOn (loader.systemd-boot or { })
    || isOn (config.boot.lanzaboote or { })
    || (isOn grub && (grub.efiSupport or false))
    || (isOn limine && (limine.efiSupport or true));
  bios =
    (isOn grub && filter (device: device != "nodev") grubDevices != [ ])
    || (isOn limine && (limine.biosSupport or false));
  sshd = isOn sshd;
  wireless = isOn wireless || isOn (wireless.iwd or { }) || isOn (networking.networkmanager or { });
  hostKey =
    if ed25519 == [ ] then "/etc/ssh/ssh_host_ed25519_key" else toString (builtins.head ed25519).path;
  identities =
    if (config.age.secrets or { }) == { } then [ ] else map plain (config.age.identityPaths or [ ]);
  sops = (config.sops.secrets or { }) != { };
  memory = config.deploy.memory or null;
}
