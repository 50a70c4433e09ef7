# Under which names the service answers, for whom, and behind which login.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;

  firstHttp = lib.findFirst (kind: kind != null) null (
    map (check: check.kind.http or null) (lib.attrValues config.health)
  );
in
{
  options = {
    sites = mkOption {
      type = types.listOf (types.coercedTo types.str (host: { inherit host; }) (types.submodule ./site.nix));
      default = [ ];
      example = lib.literalExpression ''[ "notes.local.example.org" { host = "notes.example.org"; audience = "public"; } ]'';
      description = "Full host names, in any domain, a bare domain among them. The first is the one that people are sent to.";
    };

    siteCheck = {
      path = mkOption {
        type = types.strMatching "/.*";
        default = if firstHttp == null then "/" else firstHttp.path;
        defaultText = lib.literalExpression "the path of the first http check";
        description = "What the deploy asks each site for.";
      };

      status = mkOption {
        type = types.ints.between 100 599;
        default = if firstHttp == null then 200 else firstHttp.status;
        defaultText = lib.literalExpression "the status of the first http check";
        description = "The status that it expects.";
      };

      contains = mkOption {
        type = types.nullOr types.str;
        default = if firstHttp == null then null else firstHttp.contains;
        defaultText = lib.literalExpression "the text of the first http check";
        description = "Text that the body must contain.";
      };
    };

    auth = {
      kind = mkOption {
        type = types.enum [
          "native"
          "forward"
          "none"
        ];
        default = "none";
        description = "`native`: the service has a login of its own. `forward`: the proxy asks `homelab.proxy.forwardAuth`.";
      };

      bypassPaths = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "/api/*" ];
        description = "Paths that `forward` lets through without a login.";
      };
    };

    proxy = {
      streaming = mkOption {
        type = types.bool;
        default = false;
        description = "Whether answers are passed on at once, without a buffer.";
      };

      maxBody = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "10GB";
        description = "The largest request body; null means no limit.";
      };

      headersUp = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "Headers set on requests to the service.";
      };

      insecureUpstream = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the certificate of an `https` service is left unchecked.";
      };

      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = ''
          More lines for the site, in the proxy's own words. Of a service with a port
          they stand beside the way to it, and what they answer asks for neither
          audience nor login; of one without they are what answers, behind both.
        '';
      };
    };
  };
}
