# The examples in docs/OVERVIEW.md evaluate, and do what the page says.
{
  inputs,
  lib,
  evaluate,
  plainSystem,
  ...
}:
let
  page = ../../docs/OVERVIEW.md;
  blocks = import ./blocks.nix { inherit lib; };
  find = blocks.find page;

  ground = {
    homelab = {
      tls.mode = "internal";
      secrets.provider = lib.mkDefault "plain";
      backup.isProvided = true;
    };
  };
  site = {
    homelab.services.notes = {
      port = 8000;
      sites = [ "notes.local.kaifer.dev" ];
      noBackupReason = "test";
    };
  };
  proxied = evaluate [
    {
      homelab.secrets.provider = "plain";
      homelab.tls = {
        domains = [ "local.kaifer.dev" ];
        email = "a@kaifer.dev";
      };
      security.acme = {
        acceptTerms = true;
        certs."local.kaifer.dev" = {
          email = "a@kaifer.dev";
          group = "nginx";
          webroot = "/var/lib/acme/challenges";
        };
      };
    }
    site
    (find "{ lib, config, ... }: {\n      homelab.proxy")
    (find "{ lib, config, ... }: {\n      environment.etc")
  ];

  # The page's fleet, and one more machine with the page's one line about how to reach it.
  machineOf =
    name: modules:
    lib.nixosSystem {
      specialArgs = { inherit inputs; };
      modules = [
        inputs.self.nixosModules.default
        ground
        {
          networking.hostName = name;
          homelab.fleet = {
            inherit name;
            gateway = "frame1";
            monitor = "frame1";
            logs = "frame1";
            machines = lib.mapAttrs (_: machine: machine.config) fleet;
          };
        }
      ]
      ++ modules;
    };
  fleet = {
    frame1 = machineOf "frame1" [
      (import ./machines/common.nix "192.168.2.241")
      {
        homelab.services = {
          caddy.enable = true;
          victoriametrics.enable = true;
          loki.enable = true;
        };
      }
    ];
    frame2 = machineOf "frame2" [ (find "# machines/frame2/default.nix") ];
    frame3 = machineOf "frame3" [
      (removeAttrs (import ./machines/common.nix null) [ "homelab" ])
      (find "homelab.fleet = { address")
      (
        { config, ... }:
        {
          homelab.services.notes = {
            bind = config.homelab.fleet.address;
            port = 8001;
            sites = [ "notes.local.kaifer.dev" ];
            noBackupReason = "test";
          };
        }
      )
    ];
  };
  whole = lib.mapAttrs (
    _: machine: builtins.seq machine.config.system.build.toplevel.drvPath machine.config
  ) fleet;
  siteOf = host: (lib.findFirst (site: site.host == host) null whole.frame1.homelab.derived.sites).upstream;
in
{
  "a machine's address and interface: the gateway reaches it there, and its firewall lets the others in by it" = {
    expr = {
      site = siteOf "notes.local.kaifer.dev";
      opened = lib.filter (lib.hasInfix "8001") (
        lib.splitString "\n" whole.frame3.networking.firewall.extraCommands
      );
    };
    expected = {
      site = "http://100.64.0.3:8001";
      opened = map (
        address: "iptables -A nixos-fw -i tailscale0 -s ${address} -p tcp -m multiport --dports 8001,9100 -j nixos-fw-accept"
      ) [ "192.168.2.241" "192.168.2.242" ];
    };
  };
  "a service of one's own" = {
    expr =
      (evaluate [
        ground
        { homelab.proxy.isProvided = true; }
        (find "homelab.services.notes = {")
        {
          homelab.services.database = {
            unit = "database.service";
            noBackupReason = "test";
          };
          systemd.services.database.script = "true";
          systemd.services.notes = {
            script = "true";
            serviceConfig.StateDirectory = "notes";
          };
        }
      ]).homelab.derived.backups.notes.paths;
    expected = [ "/var/lib/notes" ];
  };
  "what a shipped module says, said otherwise" = {
    expr =
      let
        inherit
          (evaluate [
            ground
            {
              homelab.services.grafana.enable = true;
              homelab.proxy.isProvided = true;
            }
            (find "homelab.services.grafana = {")
          ])
          homelab
          ;
      in
      {
        inherit (homelab.services.grafana) group;
        audiences = map (site: site.audience) homelab.derived.sites;
        tiles = lib.attrNames homelab.derived.tiles;
      };
    expected = {
      group = "Graphs";
      audiences = [ "tailnet" ];
      tiles = [ ];
    };
  };
  "a Raspberry Pi as frame2: its site is the gateway's, its metrics are scraped, and aarch64 is built for" = {
    expr = {
      site = siteOf "sensors.local.kaifer.dev";
      scraped = lib.filter (lib.hasPrefix "frame2-") (
        map (job: job.job_name) whole.frame1.homelab.derived.scrapeJobs
      );
      logs = whole.frame2.homelab.services.alloy.push;
      system = fleet.frame2.pkgs.stdenv.hostPlatform.system;
      timeouts = whole.frame2.deploy.timeouts.activation;
    };
    expected = {
      site = "http://192.168.2.242:8000";
      scraped = [
        "frame2-node-exporter"
        "frame2-sensors"
      ];
      logs = "http://192.168.2.241:3100/loki/api/v1/push";
      system = "aarch64-linux";
      timeouts = 900;
    };
  };
  "a provider of secrets, a proxy and a start page of one's own" = {
    expr = {
      proxy = proxied.services.nginx.virtualHosts."notes.local.kaifer.dev".locations."/".proxyPass;
      caddy = proxied.services.caddy.enable;
      page = proxied.environment.etc."start.html".text;
      open = proxied.networking.firewall.allowedTCPPorts;
      secrets =
        (evaluate [
          { homelab.secrets.provider = "vault"; }
          (find "{ lib, config, ... }: {\n      homelab.secrets")
          { homelab.services.a = { noHealthCheckReason = "test"; noBackupReason = "test"; secrets.word = { }; }; }
        ]).homelab.secrets.files.word.path;
    };
    expected = {
      proxy = "http://127.0.0.1:8000";
      caddy = false;
      page = "<a href=https://notes.local.kaifer.dev>notes</a>";
      open = [ 443 ];
      secrets = "/run/vault/word";
    };
  };
  # In the page's order. A block that no test uses is missing here.
  "no other module is shown" = {
    expr = map (block: lib.trim (lib.head (lib.splitString "\n" block))) (blocks.of page);
    expected = [
      "flake.nix                the table of contents: each output is one file"
      "homelab.services.notes = {"
      "homelab.services.grafana = {"
      "fleet = inputs.deploy.lib.fleet {"
      "homelab.fleet = { address = \"100.64.0.3\"; interface = \"tailscale0\"; };"
      "# machines/frame2/default.nix"
      "{ lib, config, ... }: {"
      "{ lib, config, ... }: {"
      "{ lib, config, ... }: {"
    ];
  };
}
