# The installer says how it is reached, on its screen and by mDNS. docs/iso.md
{
  lib,
  pkgs,
  config,
  ...
}:
{
  # A prompt is drawn again when an address changes. A user who is logged in would see what was so at
  # the start: no address. `nixos` and `root` have empty passwords at the screen, and none over SSH.
  services.getty.autologinUser = lib.mkForce null;

  systemd.services.deploy-reach = {
    description = "Show on the screen how the installer is reached";
    wantedBy = [ "multi-user.target" ];
    after = [
      "avahi-daemon.service"
      "sshd.service"
    ];
    path = [
      config.programs.ssh.package
      config.systemd.package
      pkgs.gnused
      pkgs.iproute2
      pkgs.util-linux
    ];
    serviceConfig = {
      # agetty reads this folder beside /etc/issue.
      ExecStart = "${pkgs.runtimeShell} ${./reach.sh} /etc/issue.d/deploy.issue follow";
      Restart = "always";
      RestartSec = 5;
    };
  };

  # `avahi-browse _ssh._tcp`, and on a Mac `dns-sd -B _ssh._tcp`, list it.
  services.avahi.extraServiceFiles.ssh = ''
    <?xml version="1.0" standalone="no"?>
    <!DOCTYPE service-group SYSTEM "avahi-service.dtd">
    <service-group>
      <name replace-wildcards="yes">NixOS installer %h</name>
      <service>
        <type>_ssh._tcp</type>
        <port>22</port>
        <txt-record>user=root</txt-record>
      </service>
    </service-group>
  '';
}
