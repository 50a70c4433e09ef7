# Where the proxy listens, and who belongs to which audience.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  inherit (config.services) tailscale;
in
{
  options.homelab.proxy = {
    isProvided = mkOption {
      type = types.bool;
      default = false;
      description = "Whether something answers for the declared sites, which are `config.homelab.derived.sites`. Whoever does says so here.";
    };

    httpPort = mkOption {
      type = types.port;
      default = 80;
      description = "Where the proxy speaks HTTP.";
    };

    httpsPort = mkOption {
      type = types.port;
      default = 443;
      description = "Where the proxy speaks HTTPS.";
    };

    publicPort = mkOption {
      type = types.port;
      default = 443;
      description = "The port that browsers use. It differs from `httpsPort` behind a port forward, as in a virtual machine.";
    };

    lanRanges = mkOption {
      type = types.listOf types.str;
      default = [
        "10.0.0.0/8"
        "172.16.0.0/12"
        "192.168.0.0/16"
        "fc00::/7"
        "fe80::/10"
      ];
      description = "Addresses of the audience `lan`. The machine itself and the tailnet always belong to it.";
    };

    tailnetRanges = mkOption {
      type = types.listOf types.str;
      default = [
        "100.64.0.0/10"
        "fd7a:115c:a1e0::/48"
      ];
      description = ''
        Addresses of the audience `tailnet`, as far as they come by `tailnetInterface`. The
        machine itself always belongs to it.
      '';
    };

    tailnetInterface = mkOption {
      type = types.nullOr types.str;
      default =
        if tailscale.enable && tailscale.interfaceName != "userspace-networking" then
          tailscale.interfaceName
        else
          null;
      defaultText = lib.literalMD "`services.tailscale.interfaceName`, when it is enabled";
      description = ''
        The interface of the tailnet. Requests from `tailnetRanges` that come by another one
        are dropped by the firewall. Null means that there is no tailnet, and these addresses
        are strangers'.
      '';
    };

    forwardAuth = {
      url = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "127.0.0.1:9091";
        description = "Who is asked whether a request may pass, for services with `auth.kind = \"forward\"`.";
      };

      uri = mkOption {
        type = types.str;
        default = "/api/authz/forward-auth";
        description = "The path that is asked.";
      };

      copyHeaders = mkOption {
        type = types.listOf types.str;
        default = [
          "Remote-User"
          "Remote-Groups"
          "Remote-Name"
          "Remote-Email"
        ];
        description = "Headers of the answer that are passed on to the service.";
      };
    };
  };
}
