# What the proxy is told about a site.
{ lib, evaluate, ... }:
let
  config = evaluate [
    {
      homelab = {
        caddy.enable = true;
        tls.mode = "internal";
        proxy.forwardAuth.url = "127.0.0.1:9091";
        services.inner = {
          port = 7000;
          sites = [ "inner.example.org" ];
          auth = {
            kind = "forward";
            bypassPaths = [ "/api/*" ];
          };
          proxy = {
            streaming = true;
            maxBody = "1GB";
            headersUp.X-Test = "a \"quoted\" word";
          };
          noBackupReason = "test";
        };
        services.open = {
          port = 7001;
          sites = [
            {
              host = "example.org";
              audience = "public";
            }
          ];
          auth.kind = "native";
          noBackupReason = "test";
        };
        services.box = {
          bind = "fd00::5";
          port = 8443;
          scheme = "https";
          sites = [ "box.example.org" ];
          proxy.insecureUpstream = true;
          noBackupReason = "another host";
        };
      };
    }
  ];
  textOf = host: config.services.caddy.virtualHosts.${host}.extraConfig;
  lineOf =
    host: start:
    lib.lists.findFirstIndex (line: lib.hasPrefix start (lib.trim line)) null (
      lib.splitString "\n" (textOf host)
    );
in
{
  "strangers are sent away before anybody asks who they are" = {
    expr =
      lineOf "inner.example.org" "route {" < lineOf "inner.example.org" "respond @outside 403"
      && lineOf "inner.example.org" "respond @outside 403" < lineOf "inner.example.org" "forward_auth"
      && lineOf "inner.example.org" "forward_auth" < lineOf "inner.example.org" "reverse_proxy";
    expected = true;
  };
  "paths that bypass the login are left out of it" = {
    expr = lib.hasInfix "@guarded not path /api/*" (textOf "inner.example.org");
    expected = true;
  };
  "a public site sends nobody away" = {
    expr = lineOf "example.org" "respond @outside";
    expected = null;
  };
  "a service on another host is reached there, IPv6 in brackets" = {
    expr = lib.hasInfix "reverse_proxy https://[fd00::5]:8443 {" (textOf "box.example.org") && lib.hasInfix "tls_insecure_skip_verify" (textOf "box.example.org");
    expected = true;
  };
  "access logs reach the journal" = {
    expr = lib.hasInfix "output stderr" config.services.caddy.virtualHosts."example.org".logFormat;
    expected = true;
  };
  "a wildcard covers one level only" = {
    expr = (lib.head (lib.filter (site: site.host == "a.b.example.org") (evaluate [
      {
        homelab = {
          tls.domains = [ "example.org" ];
          services.deep = {
            port = 1;
            sites = [ "a.b.example.org" ];
          };
        };
      }
    ]).homelab.derived.sites)).certificate;
    expected = null;
  };
}
