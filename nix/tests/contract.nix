# One more service on frame1 adds exactly these entries and changes nothing else.
{
  inputs,
  lib,
  demo,
  ...
}:
let
  frame1 = inputs.self.nixosConfigurations.frame1;
  before = frame1.config;
  after = (frame1.extendModules { modules = [ (import ./demo.nix demo) ]; }).config;

  derivedBefore = before.homelab.derived;
  derivedAfter = after.homelab.derived;
  added = set: {
    new = lib.subtractLists derivedBefore.${set} derivedAfter.${set};
    gone = lib.subtractLists derivedAfter.${set} derivedBefore.${set};
  };
  addedNames = set: {
    new = removeAttrs derivedAfter.${set} (lib.attrNames derivedBefore.${set});
    changed = lib.filter (name: derivedBefore.${set}.${name} != derivedAfter.${set}.${name} or null) (
      lib.attrNames derivedBefore.${set}
    );
  };
  just = new: {
    inherit new;
    gone = [ ];
  };
  justNamed = new: {
    inherit new;
    changed = [ ];
  };

  proxy = {
    streaming = false;
    maxBody = null;
    headersUp = { };
    insecureUpstream = false;
    extraConfig = "";
  };
  auth = {
    kind = "native";
    bypassPaths = [ ];
  };
  site = host: audience: certificate: routes: {
    service = demo;
    inherit host audience certificate routes proxy auth;
    url = "https://${host}";
    allowed = null;
    upstream = "http://127.0.0.1:7999";
  };
  route = fields: {
    allowed = null;
    audience = "lan";
    deny = null;
    stripPrefix = null;
    inherit auth proxy;
  } // fields;
  check = name: level: grace: kind: {
    name = "${demo}.${name}";
    service = demo;
    inherit level grace kind;
  };
  http = fields: {
    type = "http";
    address = "127.0.0.1";
    port = 7999;
    host = null;
    sni = null;
    path = "/health";
    status = 200;
    contains = null;
  } // fields;
  checksOfSite = host: [
    (check "site.${host}" "required" 60 (http {
      port = 443;
      inherit host;
      sni = host;
    }))
  ];
  certificateOfSite = host: [
    (check "certificate.${host}" "required-once-passed" 60 {
      type = "certificate";
      address = "127.0.0.1";
      port = 443;
      sni = host;
      issuer = "Let's Encrypt";
    })
  ];
  rule = alert: expr: severity: summary: for: {
    inherit alert expr;
    "for" = for;
    labels = {
      service = demo;
      inherit severity;
    };
    annotations.summary = summary;
  };
  local = "${demo}.local.kaifer.dev";
  far = "${demo}.kaifer.dev";
in
{
  "one more service adds its two sites" = {
    expr = added "sites";
    expected = just [
      (site local "lan" "local.kaifer.dev" [
        (route {
          path = "/graphs/*";
          patterns = [
            "/graphs"
            "/graphs/*"
          ];
          service = "grafana";
          upstream = "http://127.0.0.1:3001";
          stripPrefix = "/graphs";
        })
        (route {
          path = "/admin*";
          patterns = [ "/admin*" ];
          service = demo;
          upstream = "http://127.0.0.1:7999";
          deny = 404;
        })
      ])
      (site far "tailnet" "kaifer.dev" [ ])
    ];
  };

  "one more service adds a tile in its group" = {
    expr = addedNames "tiles";
    expected = justNamed {
      Services = [
        {
          name = demo;
          title = "Demo";
          description = "";
          icon = null;
          group = "Services";
          weight = 100;
          widget = null;
          href = "https://${local}";
          monitor = "http://127.0.0.1:7999/health";
        }
      ];
    };
  };

  "one more service adds a scrape job" = {
    expr = added "scrapeJobs";
    expected = just [
      {
        job_name = demo;
        scheme = "http";
        metrics_path = "/metrics";
        scrape_interval = "30s";
        static_configs = [
          {
            targets = [ "127.0.0.1:7999" ];
            labels.service = demo;
          }
        ];
      }
    ];
  };

  "one more service adds a log label" = {
    expr = added "logLabels";
    expected = just [
      {
        service = demo;
        unit = "${demo}.service";
        dropRegex = null;
      }
    ];
  };

  "one more service adds its data source" = {
    expr = added "datasources";
    expected = just [
      {
        uid = "${demo}-source";
        type = "prometheus";
        service = demo;
        isDefault = false;
        jsonData = { };
        url = "http://127.0.0.1:7999";
      }
    ];
  };

  "one more service adds its dashboard" = {
    expr = {
      names = lib.attrNames (addedNames "dashboards").new;
      inherit (addedNames "dashboards") changed;
    };
    expected = {
      names = [ "${demo}-main.json" ];
      changed = [ ];
    };
  };

  "one more service adds its alerts" = {
    expr = added "alertGroups";
    expected = just [
      {
        name = demo;
        rules = [
          (rule "DemoBroken" "demo_broken == 1" "warning" "the demo is broken" "5m")
          (rule "UnitNotActive"
            ''node_systemd_unit_state{name="${demo}.service",state="active"} == 0 or (absent(node_systemd_unit_state{name="${demo}.service",state="active"}) and on () count(node_systemd_unit_state) > 0)''
            "critical"
            "${demo}.service of ${demo} is not active"
            "5m"
          )
          (rule "ScrapeFailed" ''up{job="${demo}"} == 0 or absent(up{job="${demo}"})'' "critical"
            "there are no metrics of ${demo}: alerts on them cannot fire"
            "10m"
          )
          (rule "BackupTooOld"
            ''time() - homelab_backup_last_success_timestamp_seconds{service="${demo}"} > 129600''
            "critical"
            "the last good backup of ${demo} is older than 36 hours"
            "15m"
          )
          (rule "BackupMissing" ''absent(homelab_backup_last_success_timestamp_seconds{service="${demo}"})''
            "critical"
            "there was no good backup of ${demo} yet"
            "36h"
          )
          (rule "RestoreDrillTooOld"
            ''time() - homelab_restore_drill_last_success_timestamp_seconds{service="${demo}"} > 777600''
            "critical"
            "the last good restore drill of ${demo} is older than 216 hours"
            "15m"
          )
          (rule "RestoreDrillMissing"
            ''absent(homelab_restore_drill_last_success_timestamp_seconds{service="${demo}"})''
            "critical"
            "there was no good restore drill of ${demo} yet"
            "216h"
          )
        ];
      }
    ];
  };

  "one more service opens its port and no other" = {
    expr = lib.mapAttrs (protocol: ports: lib.subtractLists derivedBefore.firewall.${protocol} ports) derivedAfter.firewall;
    expected = {
      tcp = [ ];
      udp = [ 7998 ];
    };
  };

  "one more service adds the order and the limits of its unit" = {
    expr = added "units";
    expected = just [
      {
        service = demo;
        unit = "${demo}.service";
        after = [ "alloy.service" ];
        limits = {
          MemoryMax = "512M";
          CPUQuota = "150%";
          TasksMax = 64;
        };
      }
    ];
  };

  "one more service adds its backup" = {
    expr = addedNames "backups";
    expected = justNamed {
      ${demo} = {
        units = [ "${demo}.service" ];
        exclude = [ ];
        prepare = "";
        cleanup = "";
        stopUnits = false;
        sqlite = [ ];
        sentinel = "/var/lib/private/demo-state/state.json";
        paths = [ "/var/lib/private/demo-state" ];
      };
    };
  };

  "one more service adds its secret" = {
    expr = lib.mapAttrs (_: secret: { inherit (secret) services exists; }) (addedNames "secrets").new;
    expected.demo-token = {
      services = [ demo ];
      exists = false;
    };
  };

  "one more service adds its checks" = {
    expr = added "checks";
    expected = just (
      [
        (check "unit.${demo}.service" "required" 30 {
          type = "unit";
          unit = "${demo}.service";
        })
        (check "health.api" "required" 45 (http { }))
      ]
      ++ checksOfSite local
      ++ checksOfSite far
      ++ [
        (check "denied.${local}/admin*" "required" 60 (http {
          port = 443;
          host = local;
          sni = local;
          path = "/admin";
          status = 404;
        }))
      ]
      ++ certificateOfSite local
      ++ certificateOfSite far
    );
  };

  "one more service adds what a deploy must know" = {
    expr = {
      rollback = removeAttrs after.homelab.manifest.rollback.services (
        lib.attrNames before.homelab.manifest.rollback.services
      );
      inherit (after.homelab.manifest) beforeActivate;
    };
    expected = {
      rollback.${demo} = "unsafe";
      beforeActivate = [
        {
          service = demo;
          argv = [ "/run/current-system/sw/bin/true" ];
          timeout = 60;
        }
      ];
    };
  };

  "the providers take up what was added" = {
    expr = {
      vhosts = lib.subtractLists (lib.attrNames before.services.caddy.virtualHosts) (
        lib.attrNames after.services.caddy.virtualHosts
      );
      backups = lib.subtractLists (lib.attrNames before.services.restic.backups) (
        lib.attrNames after.services.restic.backups
      );
      certificates = lib.subtractLists (lib.attrNames before.security.acme.certs) (
        lib.attrNames after.security.acme.certs
      );
      label = lib.hasInfix ''"${demo}"'' after.environment.etc."alloy/config.alloy".text;
      jobs =
        lib.length after.services.victoriametrics.prometheusConfig.scrape_configs
        - lib.length before.services.victoriametrics.prometheusConfig.scrape_configs;
      groups =
        lib.length after.services.vmalert.instances.homelab.rules.groups
        - lib.length before.services.vmalert.instances.homelab.rules.groups;
      sources =
        lib.length after.services.grafana.provision.datasources.settings.datasources
        - lib.length before.services.grafana.provision.datasources.settings.datasources;
      tile = lib.hasInfix "https://${local}" (builtins.toJSON after.services.homepage-dashboard.services);
      udp = lib.elem 7998 after.networking.firewall.allowedUDPPorts;
      paths = map (text: lib.hasInfix text after.services.caddy.virtualHosts.${local}.extraConfig) [
        "path /graphs /graphs/*"
        "path /admin*"
      ];
      unit = {
        inherit (after.systemd.services.${demo}) after;
        inherit (after.systemd.services.${demo}.serviceConfig) MemoryMax CPUQuota TasksMax;
      };
      manifest = lib.hasInfix "${demo}.health.api" after.environment.etc."deploy-agent/manifest.json".text;
    };
    expected = {
      vhosts = [
        far
        local
      ];
      backups = [ demo ];
      certificates = [ "kaifer.dev" ];
      label = true;
      jobs = 1;
      groups = 1;
      sources = 1;
      tile = true;
      udp = true;
      paths = [
        true
        true
      ];
      unit = {
        after = [ "alloy.service" ];
        MemoryMax = "512M";
        CPUQuota = "150%";
        TasksMax = 64;
      };
      manifest = true;
    };
  };

  "a service on frame1 breaks no policy" = {
    expr = map (entry: entry.message) (lib.filter (entry: !entry.assertion) after.assertions);
    expected = [ ];
  };
}
