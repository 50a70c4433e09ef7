# Three machines: the gateway of all sites with the metrics, one with the logs, and one with a
# service.
{ inputs, lib, ... }:
let
  fleetOf =
    arguments:
    (inputs.self.lib.fleet (
      {
        machines = ./machines;
        self.inputs = { inherit (inputs) nixpkgs; };
        roles = {
          gateway = "gate";
          monitor = "gate";
          logs = "store";
        };
      }
      // arguments
    )).nixosConfigurations;
  # The whole machine must evaluate before a value of it counts.
  machines = lib.mapAttrs (
    _: machine: builtins.seq machine.config.system.build.toplevel.drvPath machine.config
  ) (fleetOf { });
  inherit (machines) gate store small;
  sitesOf = machine: map (site: "${site.host} ${site.upstream}") machine.homelab.derived.sites;
  failed =
    module:
    map (entry: entry.message) (
      lib.filter (entry: !entry.assertion) (fleetOf { modules = [ module ]; }).small.config.assertions
    );
in
{
  "the sites of all are those of the gateway, and reach the other machines by their addresses" = {
    expr = {
      gate = sitesOf gate;
      others = sitesOf store ++ sitesOf small;
      routes = map (route: route.upstream) (lib.concatMap (site: site.routes) gate.homelab.derived.sites);
      served = lib.attrNames gate.services.caddy.virtualHosts;
    };
    expected = {
      gate = [
        "example.org http://127.0.0.1:3000"
        "notes.example.org http://100.64.0.3:8000"
        "logs.example.org http://100.64.0.2:3100"
        "metrics.example.org http://127.0.0.1:8428"
      ];
      others = [ ];
      routes = [ "http://100.64.0.3:8001" ];
      served = [
        "example.org"
        "logs.example.org"
        "metrics.example.org"
        "notes.example.org"
      ];
    };
  };
  "what others may not do with logs, they may not by the gateway either" = {
    expr = lib.hasInfix "respond @closed 403" gate.services.caddy.virtualHosts."logs.example.org".extraConfig;
    expected = true;
  };
  "their tiles are on the gateway's start page" = {
    expr = lib.sort lib.lessThan (
      map (tile: tile.href) (lib.concatLists (lib.attrValues gate.homelab.derived.tiles))
    );
    expected = map (host: "https://${host}") [
      "example.org"
      "logs.example.org"
      "metrics.example.org"
      "notes.example.org"
    ];
  };
  "the monitor scrapes what the others bind to their addresses, the node exporter of each" = {
    expr = lib.sort lib.lessThan (
      lib.concatMap (job: map (target: "${job.job_name} ${target}") (lib.concatMap (static: static.targets) job.static_configs)) (
        lib.filter (job: lib.hasInfix "-" job.job_name) gate.homelab.derived.scrapeJobs
      )
    );
    expected = [
      "node-exporter 127.0.0.1:9100"
      "small-node-exporter 100.64.0.3:9100"
      "small-notes 100.64.0.3:8000"
      "store-loki 100.64.0.2:3100"
      "store-node-exporter 100.64.0.2:9100"
    ];
  };
  "each sends its journal to the machine with the logs" = {
    expr = map (machine: machine.homelab.services.alloy.enable && machine.homelab.services.alloy.push == "http://100.64.0.2:3100/loki/api/v1/push") [
      gate
      store
      small
    ];
    expected = [
      true
      true
      true
    ];
  };
  "dashboards on the monitor ask the machine with the logs" = {
    expr = map (source: "${source.uid} ${source.url}") gate.homelab.derived.datasources;
    expected = [
      "logs http://100.64.0.2:3100"
      "metrics http://127.0.0.1:8428"
    ];
  };
  "only the other machines get in, by the one interface, to what binds to the address" = {
    expr = {
      small = lib.filter (line: line != "") (lib.splitString "\n" small.networking.firewall.extraCommands);
      store = lib.filter (line: line != "") (lib.splitString "\n" store.networking.firewall.extraInputRules);
      gate = lib.hasInfix "-A nixos-fw" gate.networking.firewall.extraCommands;
      # The tailnet comes up after the services.
      early = map (machine: machine.boot.kernel.sysctl."net.ipv4.ip_nonlocal_bind") [
        small
        store
      ];
      open = small.networking.firewall.allowedTCPPorts ++ store.networking.firewall.allowedTCPPorts;
    };
    expected = {
      small = map (
        address:
        "iptables -A nixos-fw -i tailscale0 -s ${address} -p tcp -m multiport --dports 8000,8001,9100 -j nixos-fw-accept"
      ) [ "100.64.0.1" "100.64.0.2" ];
      store = map (
        address: ''iifname "tailscale0" ip saddr ${address} tcp dport { 3100,9100 } accept''
      ) [ "100.64.0.1" "100.64.0.3" ];
      gate = false;
      early = [
        1
        1
      ];
      open = [ ];
    };
  };
  "another machine's service does not decide over the gateway's deploy, and its state is its own" = {
    expr = {
      levels = lib.unique (
        map (check: check.level) (
          lib.filter (check: lib.hasPrefix "small-notes.site." check.name) gate.homelab.derived.checks
        )
      );
      units = lib.filter (check: lib.hasPrefix "small-" check.service && check.kind.type == "unit") gate.homelab.derived.checks;
      own = map (check: check.name) small.homelab.derived.checks;
    };
    expected = {
      levels = [ "advisory" ];
      units = [ ];
      own = [
        "alloy.unit.alloy.service"
        "alloy.health.configuration"
        "alloy.health.healthy"
        "node-exporter.unit.prometheus-node-exporter.service"
        "node-exporter.health.metrics"
        "notes.unit.notes.service"
      ];
    };
  };
  "a site that the gateway cannot reach, and a machine without an address, are refused" = {
    expr = {
      loopback = failed { homelab.services.notes.bind = lib.mkForce "127.0.0.1"; };
      nowhere = lib.last (failed { homelab.fleet.interface = lib.mkForce null; });
    };
    expected = {
      loopback = [
        "gate is in front of the sites of notes, which listens on 127.0.0.1 of small: bind it to config.homelab.fleet.address, and say so in homelab.services.notes.bind"
      ];
      nowhere = "the other machines do not reach small: set homelab.fleet.address and homelab.fleet.interface in its module";
    };
  };
  "a token of another machine's service is refused where it is not, and taken where it is" =
    let
      token.homelab.services.notes = {
        metrics.default.bearerTokenFile = "/run/agenix/token";
        secrets.token = { };
      };
      # The monitor's messages when each machine gets MODULES.
      gateWith =
        modules:
        map (entry: entry.message) (
          lib.filter (entry: !entry.assertion)
            (fleetOf {
              modules = [
                { homelab.secrets.directory = ./secrets; }
                (
                  { config, ... }:
                  {
                    config = lib.mkIf (config.networking.hostName == "small") token;
                  }
                )
              ]
              ++ modules;
            }).gate.config.assertions
        );
    in
    {
      expr = {
        without = gateWith [ ];
        "with" = gateWith [
          (
            { config, ... }:
            {
              homelab.services = lib.mkIf (config.networking.hostName == "gate") {
                victoriametrics.secrets.token = { };
              };
            }
          )
        ];
      };
      expected = {
        without = [
          "the metrics of small-notes are asked for with the token in /run/agenix/token, a file of its own machine: declare the secret in a service of this machine too, or leave out its bearerTokenFile"
        ];
        "with" = [ ];
      };
    };
}
