# Secrets that exist, and those that do not yet.
{ lib, evaluate, ... }:
let
  service = {
    homelab.services.thing = {
      unit = "thing.service";
      noBackupReason = "test";
      secrets.present.restartUnits = [ "thing.service" ];
      secrets.absent.hint = "a word";
    };
    systemd.services.thing.script = "true";
  };
  config = evaluate [ service ];
  plain = evaluate [
    service
    { homelab.secrets.provider = "plain"; }
  ];
  entry = name: lib.findFirst (secret: secret.name == name) null config.homelab.manifest.secrets;
in
{
  "agenix gets only what exists" = {
    expr = lib.attrNames config.age.secrets;
    expected = [ "present" ];
  };
  "a secret without a file is listed" = {
    expr = config.homelab.secrets.missing;
    expected = [ "absent" ];
  };
  "the deploy is told both, and which file to make" = {
    expr = {
      missing = (entry "absent").file;
      inherit (entry "absent") hint;
      present = builtins.match "/nix/store/[a-z0-9]{32}-present.age" (entry "present").file != null;
      inherit ((entry "present")) path restartUnits;
    };
    expected = {
      missing = "secrets/absent.age";
      hint = "a word";
      present = true;
      path = "/run/agenix/present";
      restartUnits = [ "thing.service" ];
    };
  };
  "what reads a secret restarts when the file changes" = {
    expr = map (trigger: builtins.match ".*present.age" (toString trigger) != null) config.systemd.services.thing.restartTriggers;
    expected = [ true ];
  };
  "plain secrets need no file and no key" = {
    expr = {
      inherit (plain.homelab.secrets) missing manifest;
      inherit (plain.homelab.secrets.files.absent) path;
      text = plain.environment.etc."plain-secrets/absent".text;
    };
    expected = {
      missing = [ ];
      manifest = [ ];
      path = "/etc/plain-secrets/absent";
      text = "nixos";
    };
  };
}
