# A DynamicUser's state is backed up, lost and restored; a backup of nothing fails.
{ inputs, pkgs }:
{
  name = "restore";

  nodes.server = {
    imports = [
      (import ./common.nix { inherit inputs; })
      (import ../real/notes.nix "sleep infinity")
    ];

    homelab.services = {
      restic = {
        enable = true;
        repository = "/var/backup/restic";
        sameDiskReason = "test";
      };
      node-exporter.enable = true;
      hollow = {
        unit = "hollow.service";
        backup.paths = [ "/var/lib/hollow" ];
      };
    };
    systemd.services.hollow = {
      wantedBy = [ "multi-user.target" ];
      script = "exec sleep infinity";
    };
    systemd.tmpfiles.rules = [ "d /var/lib/hollow 0755 root root -" ];
  };

  testScript = ''
    server.wait_for_unit("multi-user.target")
    server.wait_for_file("/var/lib/private/notes/notes.txt")

    with subtest("it is saved, and the time is exported"):
        server.succeed("systemctl start restic-backups-notes.service")
        server.succeed("grep -q 'service=\"notes\"' /var/lib/node-exporter-textfile/backup-notes.prom")

    with subtest("it is lost, restored, and belongs to whom it did"):
        owner = server.succeed("stat -c %u:%g /var/lib/private/notes/notes.txt")
        server.succeed("systemctl stop notes.service", "rm -r /var/lib/private/notes")
        server.succeed("restic-notes restore latest --tag notes --target /")
        server.succeed("grep -qx kept /var/lib/private/notes/notes.txt")
        assert server.succeed("stat -c %u:%g /var/lib/private/notes/notes.txt") == owner

    with subtest("a backup that holds no file fails"):
        server.fail("systemctl start restic-backups-hollow.service")
        journal = server.succeed("journalctl --no-pager -u restic-backups-hollow.service")
        assert "holds no file" in journal, journal

    with subtest("the repository is checked; the drill restores what there is and fails with the hollow one"):
        server.succeed("systemctl start restic-check.service")
        server.fail("systemctl start restic-drill.service")
        server.succeed("test -e /var/lib/node-exporter-textfile/restore-drill-notes.prom")
        server.fail("test -e /var/lib/node-exporter-textfile/restore-drill-hollow.prom")
  '';
}
