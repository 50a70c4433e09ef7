# What the machine lacks for its services: a proxy, a provider of secrets, a token, a second disk.
{
  lib,
  refused,
  service,
  one,
}:
let
  site = service "a" {
    port = 1;
    sites = [ "a.example.org" ];
  };
  withSecret = service "a" { secrets.absent = { }; };
  proxyBy = tls: {
    homelab.services.caddy.enable = true;
    homelab.tls = {
      domains = [ "example.org" ];
      email = "admin@example.org";
    }
    // tls;
  };
  # A backup of /var/lib/a on a machine with these file systems.
  backupTo = repository: devices: {
    homelab.services.restic = {
      enable = true;
      inherit repository;
    };
    homelab.services.a = {
      noHealthCheckReason = "test";
      backup.paths = [ "/var/lib/a" ];
    };
    fileSystems = lib.mapAttrs (_: device: {
      device = lib.mkForce device;
      fsType = lib.mkDefault "ext4";
    }) devices;
  };
  sameDisk = "backups go to /backup, on the disk that they are of, which takes both when it is lost: set homelab.services.restic.repository to another disk or host, or homelab.services.restic.sameDiskReason";
  warningsOf = modules: (refused modules).warnings;
in
{
  "sites that nobody answers for" =
    one
      [
        site
        {
          homelab.tls.domains = [ "example.org" ];
          homelab.proxy.isProvided = false;
        }
      ]
      "nobody answers for a.example.org: enable a proxy, or leave out the `sites` of a";

  "plugin mode with a Caddy that has none" = one [
    (proxyBy { mode = "plugin"; })
  ] "nixpkgs' Caddy has no DNS provider built in, which homelab.tls.mode = \"plugin\" needs: set homelab.services.caddy.package to pkgs.caddy.withPlugins { … }, or another mode";

  "plugin mode with one of its own" = one [
    (proxyBy { mode = "plugin"; })
    ({ pkgs, ... }: { homelab.services.caddy.package = pkgs.writeShellScriptBin "caddy" "with a plugin"; })
  ] [ ];

  "a DNS provider whose token's variable is not known" = one [
    (proxyBy { dnsProvider = "hetzner"; })
  ] "nobody tells lego the token of the DNS provider hetzner: set homelab.tls.dnsTokenVariable to the variable that lego's page of the provider names";

  "lego reads the token from the variable of its provider" = {
    expr =
      (refused [
        (proxyBy {
          dnsProvider = "hetzner";
          dnsTokenVariable = "HETZNER_API_TOKEN";
        })
      ]).security.acme.certs."example.org".credentialFiles;
    expected.HETZNER_API_TOKEN_FILE = "/run/agenix/dns-api-token";
  };

  "secrets that nobody decrypts" = {
    expr = map (entry: entry.message) (
      lib.filter (entry: !entry.assertion) (refused {
        withAgenix = false;
        modules = [ withSecret ];
      }).assertions
    );
    expected = [
      "nobody decrypts absent: import agenix.nixosModules.default, or set homelab.secrets.provider"
    ];
  };

  "a repository on the file system that it saves" = one [ (backupTo "/backup" { }) ] sameDisk;

  "a repository on another part of the disk that it saves" = {
    expr =
      lib.filter
        (
          names:
          (one [
            (backupTo "/backup" {
              "/" = lib.head names;
              "/backup" = lib.last names;
            })
          ] sameDisk).expr != [ sameDisk ]
        )
        [
          [
            "/dev/sda2"
            "/dev/sda3"
          ]
          [
            "/dev/nvme0n1p2"
            "/dev/nvme0n1p3"
          ]
          [
            "/dev/disk/by-id/ata-X-part2"
            "/dev/disk/by-id/ata-X-part3"
          ]
          [
            "/dev/disk/by-partlabel/disk-main-root"
            "/dev/disk/by-partlabel/disk-main-backup"
          ]
        ];
    expected = [ ];
  };

  "a repository on another disk, on another host, and one that says why" = {
    expr = map (modules: (one modules [ ]).expr) [
      [ (backupTo "local:/backup" { "/" = "/dev/sda2"; "/backup" = "/dev/sdb2"; }) ]
      [ (backupTo "sftp:nas:/backup" { }) ]
      [
        (backupTo "/backup" { })
        { homelab.services.restic.sameDiskReason = "test"; }
      ]
    ];
    expected = [
      [ ]
      [ ]
      [ ]
    ];
  };

  "a database that is saved while it is written" = one [
    (backupTo "sftp:nas:/backup" { })
    { homelab.services.a.backup.sentinel = "/var/lib/a/a.db"; }
  ] "/var/lib/a/a.db of a is saved while it is written, which can tear it: put it into homelab.services.a.backup.sqlite, or set its prepare or stopUnits";

  "a missing secret is a warning for who deploys by other means" = {
    expr = map warningsOf [
      [
        withSecret
        { homelab.secrets.warn = true; }
      ]
      [ withSecret ]
    ];
    expected = [
      [
        "secrets that do not exist yet, and whose services will not start: secrets/absent.age. Make each with `deploy secrets new`"
      ]
      [ ]
    ];
  };
}
