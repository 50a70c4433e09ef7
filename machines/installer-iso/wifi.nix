# Wi-Fi that `deploy iso` puts on the image. The image has a file of a fixed size, which `deploy iso`
# overwrites in the copy that it makes: the secret is never in the Nix store. docs/iso.md
{ lib, pkgs, ... }:
let
  # `deploy iso` looks for the first line: cli/deploy/src/iso/reserved.rs.
  reserved = pkgs.writeText "wifi" (
    "# reserved for deploy iso\n"
    + lib.concatStrings (lib.genList (_: lib.fixedWidthString 63 "#" "" + "\n") 128)
  );
in
{
  isoImage.contents = [
    {
      source = reserved;
      target = "/deploy/wifi";
    }
  ];

  systemd.services.deploy-wifi = {
    description = "Wi-Fi that deploy iso put on the image";
    wantedBy = [ "multi-user.target" ];
    before = [ "NetworkManager.service" ];
    unitConfig.ConditionPathExists = "/iso/deploy/wifi";
    serviceConfig.Type = "oneshot";
    # NetworkManager ignores a connection that others can read.
    script = ''
      if grep -q '^\[connection\]' /iso/deploy/wifi; then
        install -D -m 600 /iso/deploy/wifi /etc/NetworkManager/system-connections/deploy.nmconnection
      fi
    '';
  };
}
