# The units that every lab system has, as NixOS's module tree would give them:
# links to the root's own systemd units, the masked ones, sshd, and the target
# that switch-to-configuration restarts.
{ sshd, sshdConfig }:
let
  root = "/usr/lib/systemd/system";

  # NixOS links all units of its systemd into /etc/systemd/system; what
  # switch-to-configuration starts again are the active *targets found there*.
  linked = [
    "basic.target" "dbus.service" "dbus.socket" "emergency.service" "emergency.target"
    "getty.target" "graphical.target" "local-fs-pre.target" "local-fs.target"
    "multi-user.target" "network-online.target" "network-pre.target" "network.target"
    "nix-daemon.service" "nix-daemon.socket" "nss-lookup.target" "nss-user-lookup.target"
    "paths.target" "remote-fs.target" "rescue.service" "rescue.target" "slices.target"
    "sockets.target" "swap.target" "sysinit.target" "systemd-journald.service"
    "systemd-journald.socket" "systemd-logind.service" "systemd-tmpfiles-setup.service"
    "timers.target" "umount.target"
  ];

  # A host is a container: nothing to do for these, and they would fail.
  masked = [
    "console-getty.service" "getty@.service" "systemd-modules-load.service"
    "systemd-networkd.service" "systemd-sysctl.service" "systemd-udev-trigger.service"
    "systemd-udevd-control.socket" "systemd-udevd-kernel.socket" "systemd-udevd.service"
    "ssh.service" "ssh.socket"
  ];

  named = f: names: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
in
named (name: { link = "${root}/${name}"; }) linked
// named (_: { link = "/dev/null"; }) masked
// {
  "default.target" = { link = "multi-user.target"; };
  "nix-daemon.socket" = {
    link = "${root}/nix-daemon.socket";
    wantedBy = [ "sockets.target" ];
  };
  "sysinit-reactivation.target".text = ''
    [Unit]
    Description=Reactivate sysinit units
  '';
}
// (
  if sshd == "off" then
    { }
  else
    {
      "sshd.service" = {
        wantedBy = [ "multi-user.target" ];
        text = ''
          [Unit]
          Description=SSH Daemon
          After=network.target
          X-Restart-Triggers=${sshdConfig}

          [Service]
          ExecStart=/usr/lib/lab/sbin/sshd -D -f /etc/ssh/sshd_config
          KillMode=process
          Restart=always
          RuntimeDirectory=sshd
          RuntimeDirectoryMode=0755
          RuntimeDirectoryPreserve=yes
          Type=notify
          X-StopIfChanged=false
        '';
      };
    }
)
