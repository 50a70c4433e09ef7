# Where certificates come from.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.homelab.tls;
in
{
  options.homelab.tls = {
    mode = mkOption {
      type = types.enum [
        "acme"
        "plugin"
        "internal"
      ];
      default = "acme";
      description = ''
        `acme`: one certificate per domain by `security.acme`, ordered by DNS-01.
        `plugin`: the proxy orders them itself, with a package that has the DNS
        provider built in. `internal`: the proxy's own authority, for tests and
        virtual machines; needs no token.
      '';
    };

    domains = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "local.example.org" ];
      description = "Domains with a certificate for `*.DOMAIN` and `DOMAIN`.";
    };

    email = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Where the certificate authority writes to.";
    };

    dnsProvider = mkOption {
      type = types.str;
      default = "cloudflare";
      description = "Who serves the domains, as lego and the plugin call it.";
    };

    dnsTokenVariable = mkOption {
      type = types.nullOr types.str;
      default = if cfg.dnsProvider == "cloudflare" then "CF_DNS_API_TOKEN" else null;
      defaultText = lib.literalExpression ''if dnsProvider == "cloudflare" then "CF_DNS_API_TOKEN" else null'';
      example = "HETZNER_API_TOKEN";
      description = "The variable that lego reads the provider's token from, as its page of the provider says. For `mode = \"acme\"`.";
    };

    dnsResolver = mkOption {
      type = types.str;
      default = "1.1.1.1:53";
      description = "Where the challenge is looked up. A resolver at home may have its own idea of the domain.";
    };

    issuer = mkOption {
      type = types.str;
      default = if cfg.mode == "internal" then "Caddy Local Authority" else "Let's Encrypt";
      defaultText = lib.literalMD "`Let's Encrypt`, or the proxy's own authority";
      description = "Text that the issuer's name of every site's certificate must contain.";
    };

    checkLevel = mkOption {
      type = (import ../contract/decides.nix lib).levels;
      default = if cfg.mode == "internal" then "required" else "required-once-passed";
      defaultText = lib.literalExpression ''if mode == "internal" then "required" else "required-once-passed"'';
      description = "Whether the issuer decides over a deploy: at once (`required`), never (`advisory`), or from the first deploy on that ended with the right certificate. An order takes minutes, so a first one cannot be waited for.";
    };
  };
}
