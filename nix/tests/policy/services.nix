# Ports, names, firewall, upkeep, secrets, certificates.
{ service, one }:
{
  "nothing declared, nothing fires" = one [ ] [ ];

  "two services on one port" =
    one
      [
        (service "a" { port = 3000; })
        (service "b" { port = 3000; })
      ]
      "a and b both listen on tcp port 3000: change homelab.services.a.port or homelab.services.b.port";

  "a further port clashes too, and an address for all with every other" =
    one
      [
        (service "a" { port = 9000; })
        (service "b" {
          extraPorts.api = {
            port = 9000;
            bind = "0.0.0.0";
            openFirewall = true;
          };
        })
      ]
      "a and b both listen on tcp port 9000: change homelab.services.a.port or homelab.services.b.extraPorts.api.port";

  "TCP and UDP do not clash, nor do two hosts" = one [
    (service "a" { port = 53; })
    (service "b" {
      extraPorts.dns = {
        port = 53;
        protocol = "udp";
      };
    })
    (service "c" {
      bind = "192.168.2.7";
      port = 53;
    })
  ] [ ];

  "two services under one name" =
    one
      [
        { homelab.tls.domains = [ "example.org" ]; }
        (service "a" {
          port = 1;
          sites = [ "x.example.org" ];
        })
        (service "b" {
          port = 2;
          sites = [ "x.example.org" ];
        })
      ]
      "x.example.org is a site of a and of b: change homelab.services.a.sites or homelab.services.b.sites";

  "public without a login" =
    one
      [
        { homelab.tls.domains = [ "example.org" ]; }
        (service "a" {
          port = 1;
          sites = [
            {
              host = "a.example.org";
              audience = "public";
            }
          ];
        })
      ]
      "a has a public site and no login: set homelab.services.a.auth.kind to native or forward, or another audience in homelab.services.a.sites";

  "a login that nobody asks for" =
    one [ (service "a" { auth.kind = "forward"; }) ]
      "a wants the proxy to ask for a login, but nobody is asked: set homelab.proxy.forwardAuth.url, or another homelab.services.a.auth.kind";

  "listening for all while the firewall is shut" =
    one
      [
        (service "a" {
          port = 8080;
          bind = "0.0.0.0";
        })
      ]
      ''a listens on 0.0.0.0, port 8080, which the firewall does not let in: set homelab.services.a.openFirewall, homelab.services.a.bind = "127.0.0.1", or homelab.services.a.noFirewallReason'';

  "a further port for all while the firewall is shut" =
    one
      [
        (service "a" {
          extraPorts.x = {
            port = 8081;
            bind = "::";
          };
        })
      ]
      ''a listens on ::, port 8081, which the firewall does not let in: set homelab.services.a.extraPorts.x.openFirewall, homelab.services.a.extraPorts.x.bind = "127.0.0.1", or homelab.services.a.noFirewallReason'';

  "listening on an address of this machine while the firewall is shut" =
    one
      [
        (service "a" {
          unit = "a.service";
          port = 8080;
          bind = "192.168.2.241";
        })
      ]
      ''a listens on 192.168.2.241, port 8080, which the firewall does not let in: set homelab.services.a.openFirewall, homelab.services.a.bind = "127.0.0.1", or homelab.services.a.noFirewallReason'';

  "a service of another host listens there" = one [
    (service "a" {
      port = 8080;
      bind = "192.168.2.7";
    })
  ] [ ];

  "with a reason it may" = one [
    (service "a" {
      port = 8080;
      bind = "0.0.0.0";
      noFirewallReason = "containers only";
    })
  ] [ ];

  "open in the firewall, but on loopback" =
    one
      [
        (service "a" {
          port = 8080;
          openFirewall = true;
        })
      ]
      "a has port 8080 open in the firewall but listens on 127.0.0.1: change homelab.services.a.bind, or leave out homelab.services.a.openFirewall";

  "neither a backup nor a reason" =
    one [ { homelab.services.a.noHealthCheckReason = "test"; } ]
      "nothing of a is saved: set homelab.services.a.backup (`{ }` is enough for most), or homelab.services.a.noBackupReason";

  "a backup and a reason for none, and no backups at all" =
    one [ (service "a" { backup.paths = [ "/x" ]; }) ] [
      "a declare a backup, but none is made: set homelab.services.restic.enable and homelab.services.restic.repository, or homelab.backup.isProvided where something else makes them"
      "a has a backup and a reason for none: remove homelab.services.a.backup or homelab.services.a.noBackupReason"
    ];

  "a backup of nothing" =
    one
      [
        {
          homelab.services.a = {
            unit = "a.service";
            backup = { };
          };
          homelab.services.restic = {
            enable = true;
            repository = "sftp:nas:/backup";
          };
        }
      ]
      "the units of a declare no StateDirectory, so there is nothing to save: set homelab.services.a.backup.paths";

  "no check" =
    one [ { homelab.services.a.noBackupReason = "test"; } ]
      "a has no health check: set homelab.services.a.unit or homelab.services.a.health, or homelab.services.a.noHealthCheckReason";

  "a token in the store" =
    one
      [
        (service "a" {
          metrics.default = {
            port = 1;
            bearerTokenFile = "${builtins.storeDir}/00000000000000000000000000000000-token";
          };
        })
      ]
      "a secret in the store is readable by everybody on the machine: set homelab.services.a.metrics.default.bearerTokenFile to a path at run time";

  "a secret of nobody" =
    one
      [
        { services.openssh.enable = true; }
        (service "a" {
          secrets.present = {
            owner = "nobody-here";
            group = "no-group";
          };
        })
      ]
      [
        "the secret present belongs to nobody-here, who is no user of this machine: change homelab.services.a.secrets.present.owner, or declare users.users.nobody-here"
        "the secret present belongs to the group no-group, which this machine does not have: change homelab.services.a.secrets.present.group, or declare users.groups.no-group"
      ];

  "a site without a certificate" =
    one
      [
        (service "a" {
          port = 1;
          sites = [ "a.example.org" ];
        })
      ]
      "no certificate covers a.example.org, a site of a: add its domain to homelab.tls.domains (a wildcard covers one level)";

  "a site with nothing behind it" =
    one
      [
        { homelab.tls.domains = [ "example.org" ]; }
        (service "a" { sites = [ "a.example.org" ]; })
      ]
      "nothing is behind a.example.org, a site of a: set homelab.services.a.port, or homelab.services.a.proxy.extraConfig";

  "a data source that is declared twice, two defaults" =
    one
      [
        (service "a" {
          port = 1;
          datasources.x = {
            type = "prometheus";
            default = true;
          };
        })
        (service "b" {
          port = 2;
          datasources.x = {
            type = "prometheus";
            default = true;
          };
        })
      ]
      [
        "one data source can be the default: leave out homelab.services.a.datasources.x.default or homelab.services.b.datasources.x.default"
        "the data source x is declared twice: rename homelab.services.a.datasources.x or homelab.services.b.datasources.x"
      ];

  "a name that is no name" =
    one [ (service "My_App" { }) ]
      "`My_App` is no name for a service: use lower case letters, digits and dashes in homelab.services";

  "metrics and checks without a port" =
    one
      [
        (service "a" {
          metrics.default = { };
          health.x.kind.tcp = { };
        })
      ]
      [
        "homelab.services.a.health.x.kind needs a port: set it there, or the service's own port"
        "homelab.services.a.metrics.default.port needs a port: set it there, or the service's own port"
      ];

  "a deploy user without keys" =
    one
      [
        {
          deploy.agent = {
            enable = true;
            user = "deploy";
          };
        }
      ]
      "nobody can log in as the deploy user `deploy`: add a key to deploy.agent.authorizedKeys, or set deploy.agent.user = null";

  "a builder without keys" =
    one [ { homelab.services.remote-builder.enable = true; } ]
      "nobody can log in to build here: add a key to homelab.services.remote-builder.authorizedKeys, or set homelab.services.remote-builder.enable = false";

  "alerts without what exports units, disks and backups" =
    one
      [
        {
          homelab.services.vmalert.enable = true;
          homelab.services.victoriametrics = {
            enable = true;
            sites = [ "metrics.example.org" ];
          };
          homelab.tls.domains = [ "example.org" ];
        }
      ]
      "alerts on units, disks and backups are made of the node exporter's metrics: set homelab.services.node-exporter.enable, or homelab.services.vmalert.enable = false";

  "alerts without metrics" =
    one
      [
        {
          homelab.services.vmalert.enable = true;
          homelab.services.node-exporter.enable = true;
        }
      ]
      "alerts are evaluated over the metrics of this machine: set homelab.services.victoriametrics.enable, or homelab.services.vmalert.enable = false";

  "alerts that nobody sends" =
    one
      [
        {
          homelab.services = {
            vmalert.enable = true;
            node-exporter.enable = true;
            victoriametrics.enable = true;
            alertmanager.enable = false;
          };
        }
      ]
      "alerts that fire are sent by Alertmanager: set homelab.services.alertmanager.enable, or homelab.services.vmalert.enable = false";

  "a proxy that listens elsewhere than is said" =
    one
      [
        {
          homelab.tls.mode = "internal";
          homelab.services.caddy = {
            enable = true;
            port = 8443;
          };
        }
      ]
      "where the proxy listens is said in homelab.proxy.httpsPort and homelab.proxy.httpPort: set these, and leave out homelab.services.caddy.port and extraPorts.http.port";
}
