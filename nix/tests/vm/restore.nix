# The state of a DynamicUser is saved, lost and restored; a backup of nothing fails.
{ inputs, pkgs }:
{
  name = "restore";

  nodes.server = {
    imports = [ (import ./common.nix { inherit inputs; }) ];

    homelab = {
      backup = {
        enable = true;
        repository = "/var/backup/restic";
      };
      node-exporter.enable = true;
      services.notes = {
        unit = "notes.service";
        backup.sentinel = "/var/lib/private/notes/notes.txt";
      };
      services.hollow = {
        unit = "hollow.service";
        backup.paths = [ "/var/lib/hollow" ];
      };
    };
    systemd.services.notes = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        DynamicUser = true;
        StateDirectory = "notes";
      };
      script = ''
        test -e "$STATE_DIRECTORY/notes.txt" || echo kept > "$STATE_DIRECTORY/notes.txt"
        exec sleep infinity
      '';
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
        server.succeed("journalctl -u restic-backups-hollow.service | grep -q 'holds no file'")
  '';
}
