# Which units decide over a deploy: those of the services, and not those that depend on something
# elsewhere.
{
  inputs,
  lib,
  evaluate,
  ...
}:
let
  inherit (inputs.self.nixosConfigurations) frame1;
  inherit (frame1.config) systemd homelab;
  inherit (frame1.config.deploy.units) advisory;

  # The agent's patterns: `*` is any text, `?` one character.
  fits =
    unit: pattern:
    builtins.match (lib.replaceStrings [ "\\*" "\\?" ] [ ".*" "." ] (lib.escapeRegex pattern)) unit != null;
  isAdvisory = unit: lib.any (fits unit) advisory;

  units = lib.concatLists (
    lib.mapAttrsToList (kind: map (name: "${name}.${kind}")) {
      service = lib.attrNames systemd.services;
      target = lib.attrNames systemd.targets;
    }
  );
  ofServices = lib.concatMap (service: service.units) (lib.attrValues homelab.enabledServices);

  # Units that wait for the network and do not belong to a service. Those of every NixOS do not
  # count.
  waiting = lib.filter (
    unit:
    lib.elem "network-online.target" systemd.services.${lib.removeSuffix ".service" unit}.after
    && !lib.elem unit ofServices
  ) (map (name: "${name}.service") (lib.subtractLists (lib.attrNames (evaluate [ ]).systemd.services) (lib.attrNames systemd.services)));

  late = evaluate [
    {
      homelab.services.sync = {
        unit = "sync.service";
        unitCheck = {
          level = "advisory";
          grace = 90;
        };
        noBackupReason = "test";
      };
      systemd.services.sync.script = "true";
    }
  ];
in
{
  "what needs a login, a name server or a disk elsewhere does not decide" = {
    expr = lib.filter (unit: !isAdvisory unit) (waiting ++ [ "tailscaled-autoconnect.service" ]);
    expected = [ ];
  };
  "units that wait for the network are found" = {
    expr = lib.all (unit: lib.elem unit waiting) [
      "acme-order-renew-local.kaifer.dev.service"
      "restic-backups-grafana.service"
    ];
    expected = true;
  };
  "no pattern is for a unit that there is not" = {
    # This unit exists only with flags of the tailnet that frame1 does not set.
    expr = lib.filter (pattern: pattern != "tailscaled-set.service" && !lib.any (unit: fits unit pattern) units) advisory;
    expected = [ ];
  };
  "which units decide can be said, and goes into machine.json and into the closure" = {
    expr =
      let
        machine = inputs.self.nixosConfigurations.frame1.extendModules {
          modules = [
            {
              deploy.units.deciding = [
                "sshd"
                "caddy*"
              ];
              deploy.units.advisory = [ "openvpn-*" ];
            }
          ];
        };
        inherit (inputs.self.lib.deployNode machine) units;
        closure = lib.importJSON (
          builtins.toFile "manifest.json" (
            builtins.unsafeDiscardStringContext machine.config.environment.etc."deploy-agent/manifest.json".text
          )
        );
      in
      map
        (said: {
          inherit (said) deciding;
          added = lib.subtractLists advisory said.advisory;
          kept = lib.subtractLists said.advisory advisory;
        })
        [
          units
          closure.units
        ];
    expected =
      let
        said = {
          deciding = [
            "sshd"
            "caddy*"
          ];
          added = [ "openvpn-*" ];
          kept = [ ];
        };
      in
      [
        said
        said
      ];
  };
  "a service's own unit decides" = {
    expr = lib.filter isAdvisory ofServices;
    expected = [ ];
  };
  "unless it says that it does not: then it is watched and reported" = {
    expr = {
      inherit (late.deploy.units) ignore advisory;
      check = map (check: { inherit (check) level grace kind; }) late.homelab.derived.checks;
    };
    expected = {
      ignore = [ ];
      advisory = [ "sync.service" ];
      check = [
        {
          level = "advisory";
          grace = 90;
          kind = {
            type = "unit";
            unit = "sync.service";
          };
        }
      ];
    };
  };
}
