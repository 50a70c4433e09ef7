# A service with a DynamicUser's state, for a lab host, the rendered configuration and a NixOS test.
# PROGRAM runs once the state has a file.
program: {
  homelab.services.notes = {
    unit = "notes.service";
    backup.sentinel = "/var/lib/private/notes/notes.txt";
  };
  systemd.services.notes = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      DynamicUser = true;
      StateDirectory = "notes";
    };
    script = ''
      test -e "$STATE_DIRECTORY/notes.txt" || echo kept > "$STATE_DIRECTORY/notes.txt"
      exec ${program}
    '';
  };
}
