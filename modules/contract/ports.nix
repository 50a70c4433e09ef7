# Ports besides the web interface, and what the firewall accepts.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether `port` is open to other hosts.";
    };

    extraPorts = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            port = mkOption {
              type = types.port;
              description = "The port.";
            };
            protocol = mkOption {
              type = types.enum [
                "tcp"
                "udp"
              ];
              default = "tcp";
              description = "Its protocol.";
            };
            bind = mkOption {
              type = types.str;
              default = "127.0.0.1";
              description = "The numeric address that it is bound to.";
            };
            openFirewall = mkOption {
              type = types.bool;
              default = false;
              description = "Whether it is open to other hosts.";
            };
          };
        }
      );
      default = { };
      description = "Further ports, by a name of your own.";
    };

    noFirewallReason = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "reached through the bridge of the containers only";
      description = "Why a port that listens beyond loopback is not in the firewall.";
    };
  };
}
