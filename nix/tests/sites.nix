# The proxy's configuration of a site.
{ lib, evaluate, refused, ... }:
let
  config = evaluate [
    {
      homelab = {
        services.caddy.enable = true;
        proxy.tailnetInterface = "tailscale0";
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
          extraPorts.api.port = 7002;
          sites = [
            {
              host = "example.org";
              audience = "public";
            }
            {
              host = "many.example.org";
              audience = "public";
              routes = {
                "/api*".port = "api";
                "/api/admin/*".deny = 404;
                "/inner/*" = {
                  service = "inner";
                  stripPrefix = true;
                  audience = "tailnet";
                };
                "/api/admin/page".port = "api";
                "/api/admin".audience = "lan";
              };
            }
          ];
          proxy.maxBody = "1MB";
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
        services.shut = {
          port = 7003;
          sites = [ "shut.example.org" ];
          siteCheck.path = "/api/query/x";
          access.sitePaths = [
            "/"
            "/api/query/*"
          ];
          noBackupReason = "test";
        };
        services.part = {
          port = 7004;
          sites = [
            {
              host = "part.example.org";
              routes."/p/*" = {
                service = "shut";
                stripPrefix = true;
              };
            }
          ];
          noBackupReason = "test";
        };
        services.login = {
          port = 7005;
          sites = [ "login.example.org" ];
          auth = {
            kind = "forward";
            bypassPaths = [ "/open/*" ];
          };
          access.sitePaths = [
            "/"
            "/api/query/*"
          ];
          noBackupReason = "test";
        };
        services.words = {
          sites = [ "words.example.org" ];
          proxy.extraConfig = "respond \"hello\"";
          noBackupReason = "test";
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
  # The lines of a block from START to the line END, without indentation.
  blockOf =
    host: start: end:
    let
      lines = map lib.trim (lib.splitString "\n" (textOf host));
      from = lib.lists.findFirstIndex (lib.hasPrefix start) 0 lines;
      rest = lib.drop from lines;
    in
    lib.take (lib.lists.findFirstIndex (lib.hasPrefix end) 0 rest + 1) rest;
  routesOf =
    host: lib.filter (lib.hasPrefix "@path") (map lib.trim (lib.splitString "\n" (textOf host)));
  loginOf =
    route: site:
    (lib.head
      (lib.head (
        lib.filter (entry: entry.host == "a.example.org")
          (evaluate [
            {
              homelab = {
                services.caddy.enable = true;
                tls.mode = "internal";
                proxy.forwardAuth.url = "127.0.0.1:9091";
                services.a = {
                  port = 1;
                  auth = site;
                  noBackupReason = "test";
                  sites = [
                    {
                      host = "a.example.org";
                      routes."/b/*" = {
                        service = "b";
                        stripPrefix = true;
                      };
                    }
                  ];
                };
                services.b = {
                  port = 2;
                  auth = route;
                  noBackupReason = "test";
                  noHealthCheckReason = "test";
                };
              };
            }
          ]).homelab.derived.sites
      )).routes
    ).auth;
in
{
  "of routes the longest is first, and the rest goes where the site goes" = {
    expr = routesOf "many.example.org";
    expected = [
      "@path0 path /api/admin/page"
      "@path1 path /api/admin"
      "@path2 path /api/admin /api/admin/*"
      "@path3 path /inner /inner/*"
      "@path4 path /api*"
    ];
  };
  "a denied path is nobody's" = {
    expr = blockOf "many.example.org" "handle @path2" "}";
    expected = [
      "handle @path2 {"
      "respond 404"
      "}"
    ];
  };
  "a path of another service has that one's login, its own audience and no prefix" = {
    expr = blockOf "many.example.org" "handle @path3" "reverse_proxy";
    expected = [
      "handle @path3 {"
      "route {"
      "@outside not remote_ip 127.0.0.0/8 ::1 100.64.0.0/10 fd7a:115c:a1e0::/48"
      "respond @outside 403"
      "request_header -Remote-User"
      "request_header -Remote_User"
      "request_header -Remote-Groups"
      "request_header -Remote_Groups"
      "request_header -Remote-Name"
      "request_header -Remote_Name"
      "request_header -Remote-Email"
      "request_header -Remote_Email"
      "@guarded not path /inner/api/*"
      "forward_auth @guarded 127.0.0.1:9091 {"
      "uri /api/authz/forward-auth"
      "copy_headers Remote-User Remote-Groups Remote-Name Remote-Email"
      "}"
      "request_body {"
      "max_size 1GB"
      "}"
      "uri strip_prefix /inner"
      "reverse_proxy http://127.0.0.1:7000 {"
    ];
  };
  "a login of the site holds for its paths, one of the service behind as well" = {
    expr = {
      site = loginOf { kind = "none"; } {
        kind = "forward";
        bypassPaths = [ "/open" ];
      };
      behind = loginOf {
        kind = "forward";
        bypassPaths = [ "/open" ];
      } { kind = "forward"; };
    };
    expected = {
      site = {
        kind = "forward";
        bypassPaths = [ "/open" ];
      };
      behind = {
        kind = "forward";
        bypassPaths = [ "/b/open" ];
      };
    };
  };
  "a site lets through what its service says, and a path of another site does so below its prefix" = {
    expr = [
      (blockOf "shut.example.org" "@closed" "respond")
      (blockOf "part.example.org" "@closed" "respond")
      (blockOf "login.example.org" "@closed" "respond")
    ];
    expected = [
      [
        "@closed not path / /api/query /api/query/*"
        "respond @closed 403"
      ]
      [
        "@closed not path /p /p/ /p/api/query /p/api/query/*"
        "respond @closed 403"
      ]
      # With a login, everything is allowed; without one, what anybody may do.
      [
        "@closed {"
        "path /open/*"
        "not path / /api/query /api/query/*"
        "}"
        "respond @closed 403"
      ]
    ];
  };
  "a deploy asks for what a site must not let through" = {
    expr = map (check: "${check.kind.host}${check.kind.path} ${toString check.kind.status}") (
      lib.filter (check: lib.hasInfix ".closed." check.name) config.homelab.derived.checks
    );
    expected = [
      "part.example.org/p/-/closed 403"
      "shut.example.org/-/closed 403"
    ];
  };
  "without a tailnet its addresses are strangers'" = {
    expr = lib.hasInfix "100.64" (
      toString (
        lib.mapAttrsToList (_: host: host.extraConfig)
          (evaluate [
            {
              homelab = {
                services.caddy.enable = true;
                tls.mode = "internal";
                services.a = {
                  port = 1;
                  sites = [ "a.example.org" ];
                  noBackupReason = "test";
                };
              };
            }
          ]).services.caddy.virtualHosts
      )
    );
    expected = false;
  };
  "nobody may reach caddy's admin interface by the network" = {
    expr = lib.filter (lib.hasPrefix "admin ") (lib.splitString "\n" config.services.caddy.globalConfig);
    expected = [ "admin unix//run/caddy/admin.sock" ];
  };
  "what a deploy asks for shows that a path is denied, and no other answers it" = {
    expr = map (check: check.kind.path) (
      lib.filter (check: lib.hasPrefix "open.denied." check.name) config.homelab.derived.checks
    );
    expected = [ "/api/admin/" ];
  };
  "a service without a port answers to its audience alone" = {
    expr = lineOf "words.example.org" "respond @outside 403" < lineOf "words.example.org" "respond \"hello\"";
    expected = true;
  };
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
    expr = (lib.head (lib.filter (site: site.host == "a.b.example.org") (refused [
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
