# Every alert can fire, and none fires without a reason. promtool evaluates the expressions
# (scripts/test-rendered); this test checks that no alert is left out there.
{ inputs, lib, ... }:
let
  inherit (inputs.self.nixosConfigurations.frame1) config;
  inherit (import ./series.nix { inherit lib config; }) names states;
in
{
  "every alert fires in a state that promtool tests, and all but one are quiet when all is well" = {
    expr = {
      never = lib.subtractLists (lib.concatMap (state: state.firing) states) names;
      well = (lib.head states).firing;
    };
    expected = {
      never = [ ];
      well = [ "Watchdog" ];
    };
  };
  "the watchdog goes to its watcher, and everything else to the webhook" = {
    expr =
      let
        inherit (config.services.prometheus.alertmanager.configuration) route receivers;
      in
      {
        inherit (route) receiver;
        routes = map (each: "${each.receiver}: ${toString each.matchers}") route.routes;
        receivers = map (each: each.name) receivers;
      };
    expected = {
      receiver = "webhook";
      routes = [ ''watchdog: alertname="Watchdog"'' ];
      receivers = [
        "webhook"
        "watchdog"
      ];
    };
  };
  "without a watcher nothing fires for it" = {
    expr =
      let
        inherit
          (inputs.self.nixosConfigurations.frame1.extendModules {
            modules = [ { homelab.services.alertmanager.watchdog.enable = lib.mkForce false; } ];
          })
          config
          ;
      in
      {
        rules = lib.filter (rule: rule.alert == "Watchdog") (
          lib.concatMap (group: group.rules) config.homelab.derived.alertGroups
        );
        receivers = map (receiver: receiver.name) config.services.prometheus.alertmanager.configuration.receivers;
        secret = config.homelab.derived.secrets ? alert-watchdog;
      };
    expected = {
      rules = [ ];
      receivers = [ "webhook" ];
      secret = false;
    };
  };
  "units, scrapes, backups, checks of the repository and restore drills have alerts" = {
    expr = lib.subtractLists names [
      "UnitNotActive"
      "UnitFailed"
      "ScrapeFailed"
      "BackupTooOld"
      "BackupMissing"
      "BackupCheckTooOld"
      "BackupCheckMissing"
      "RestoreDrillTooOld"
      "RestoreDrillMissing"
      "DiskAlmostFull"
      "AlloyConfigurationRefused"
      "Watchdog"
    ];
    expected = [ ];
  };
}
