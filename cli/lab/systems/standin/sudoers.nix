# security.sudo as lines of sudoers: NixOS's nixos/modules/security/sudo.nix.
{ lib }:
sudo:
let
  command = runAs: entry: "(${runAs}) ${lib.concatMapStrings (tag: "${tag}: ") entry.options}${entry.command}";
  line =
    rule: who:
    "${who} ${rule.host}=${
      lib.concatMapStringsSep ", " (entry: command rule.runAs (if lib.isString entry then { command = entry; options = [ ]; } else entry)) rule.commands
    }\n";
  lines =
    rule:
    map (line rule) (map toString rule.users ++ map (group: "%${toString group}") rule.groups);
in
lib.concatStrings (
  [ "%wheel ALL=(ALL:ALL) ${lib.optionalString (!sudo.wheelNeedsPassword) "NOPASSWD: "}ALL\n" ]
  ++ lib.concatMap lines sudo.extraRules
)
