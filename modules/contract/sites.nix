# The names under which the service answers, for whom, and behind which login.
{
  lib,
  config,
  name,
  ...
}:
let
  inherit (lib) mkOption types;

  enabled = import ./enabled.nix lib;
  inherit (import ./decides.nix lib) levels level grace;

  # A list of names and sites, as an attribute set.
  byHost =
    list:
    lib.listToAttrs (
      lib.imap0 (
        index: site:
        let
          fields = if lib.isString site then { host = site; } else site;
        in
        lib.nameValuePair (fields.host
          or (throw "a site in a list of homelab.services.${name}.sites has no `host`")
        ) ({ order = lib.mkDefault index; } // removeAttrs fields [ "host" ])
      ) list
    );

  firstHttp = lib.findFirst (kind: kind != null) null (
    map (check: check.kind.http or null) (lib.attrValues config.health)
  );
in
{
  options = {
    sites = mkOption {
      type = types.coercedTo (types.listOf types.raw) byHost (types.attrsOf (types.submodule ./site.nix));
      default = { };
      example = lib.literalExpression ''
        {
          "notes.local.example.org" = { };
          "notes.example.org".audience = "public";
        }
      '';
      description = ''
        Sites by their full host names, in any domain, a bare domain among them. Two
        definitions of one are merged. A list does as well, of names and of sites with a
        `host`; its first is the one that people are sent to.
      '';
    };

    siteList = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      default = lib.sort (a: b: a.order < b.order || (a.order == b.order && a.host < b.host)) (
        lib.attrValues config.sites
      );
      description = "The sites in their order.";
    };

    siteCheck = {
      enable = enabled "Whether the deploy asks each site.";

      level = level "How far it decides, as for `health`.";

      grace = grace 60 "Seconds after the switch in which it may still fail.";

      path = mkOption {
        type = types.strMatching "/.*";
        default = if firstHttp == null then "/" else firstHttp.path;
        defaultText = lib.literalMD "the path of the first http check";
        description = "What the deploy asks each site for.";
      };

      status = mkOption {
        type = types.ints.between 100 599;
        default = if firstHttp == null then 200 else firstHttp.status;
        defaultText = lib.literalMD "the status of the first http check";
        description = "The status that it expects.";
      };

      contains = mkOption {
        type = types.nullOr types.str;
        default = if firstHttp == null then null else firstHttp.contains;
        defaultText = lib.literalMD "the text of the first http check";
        description = "Text that the body must contain.";
      };
    };

    certificateCheck = {
      enable = enabled "Whether the deploy looks at the certificate of each site.";

      level = mkOption {
        type = types.nullOr levels;
        default = null;
        description = "How far it decides; null means `homelab.tls.checkLevel`.";
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
