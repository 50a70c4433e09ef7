# Paths of sites.
{ service, one }:
let
  # A site of `a` on port 1 with routes.
  withRoutes = routes: {
      imports = [
        { homelab.tls.domains = [ "example.org" ]; }
        (service "a" {
          port = 1;
          sites = [
            {
              host = "a.example.org";
              inherit routes;
            }
          ];
        })
      ];
    };
in
{
  "a route to a service that there is not, one without a port, a port that is none" =
    one
      [
        (withRoutes {
          "/x/*".service = "gone";
          "/y/*".service = "portless";
          "/z/*".port = "dns";
        })
        (service "portless" { })
        (service "a" {
          extraPorts.dns = {
            port = 53;
            protocol = "udp";
          };
        })
      ]
      [
        "nothing is behind the route `/y/*` of a.example.org in homelab.services.a.sites: set homelab.services.portless.port, or change the route's `service` or `port`"
        "nothing is behind the route `/z/*` of a.example.org in homelab.services.a.sites: homelab.services.a.extraPorts.dns is no TCP port of it, or change the route's `service` or `port`"
        "the route `/x/*` of a.example.org in homelab.services.a.sites goes to gone, which is no enabled service: change its `service`, or declare homelab.services.gone"
      ];

  "a route to a service that is switched off" =
    one
      [
        (withRoutes { "/x/*".service = "b"; })
        (service "b" {
          enable = false;
          port = 2;
        })
      ]
      "the route `/x/*` of a.example.org in homelab.services.a.sites goes to b, which is no enabled service: change its `service`, or declare homelab.services.b";

  "paths that are none" =
    one
      [
        (withRoutes {
          "api".deny = 404;
          "/API".deny = 404;
          "/*".deny = 404;
        })
        (service "a" { siteCheck.status = 404; })
      ]
      (
        map
          (
            path:
            "`${path}` is no path: write it as /x, /x* or /x/*, in lower case, in the route `${path}` of a.example.org in homelab.services.a.sites"
          )
          [
            "/*"
            "/API"
            "api"
          ]
      );

  "a route that denies and passes, one that does neither" =
    one
      [
        (withRoutes {
          "/x" = {
            deny = 403;
            audience = "tailnet";
          };
          "/y" = { };
        })
      ]
      [
        "the route `/x` of a.example.org in homelab.services.a.sites denies, and says who may pass: leave out `deny`, or `service`, `port`, `stripPrefix` and `audience`"
        "the route `/y` of a.example.org in homelab.services.a.sites does what the site does: set its `service`, `port`, `audience` or `deny`, or leave it out"
      ];

  "a side door without a login" =
    one
      [
        (withRoutes {
          "/x" = {
            service = "b";
            audience = "public";
          };
        })
        (service "a" { auth.kind = "native"; })
        (service "b" { port = 2; })
      ]
      "the route `/x` of a.example.org in homelab.services.a.sites is public and has no login: set homelab.services.b.auth.kind to native or forward, or its `audience`";

  "a public site without a login is told once, whatever its paths" =
    one
      [
        { homelab.tls.domains = [ "example.org" ]; }
        (service "a" {
          port = 1;
          extraPorts.api.port = 2;
          sites = [
            {
              host = "a.example.org";
              audience = "public";
              routes."/x".port = "api";
            }
          ];
        })
      ]
      "a has a public site and no login: set homelab.services.a.auth.kind to native or forward, or another audience in homelab.services.a.sites";

  "a side door of a service that has a login of its own" = one [
    (withRoutes { "/x".audience = "public"; })
    (service "a" { auth.kind = "native"; })
  ] [ ];

  "a site whose check a route denies, if that one counts" =
    one
      [
        (withRoutes {
          "/health*".deny = 404;
          "/health/inner".audience = "tailnet";
        })
        (service "a" { siteCheck.path = "/health/outer?full"; })
      ]
      "the deploy asks a.example.org for /health/outer?full, which a route denies: change homelab.services.a.siteCheck.path, or the route";

  "a check that no denial counts for is let be" = one [
    (withRoutes {
      "/health*".deny = 404;
      "/health/inner".audience = "tailnet";
    })
    (service "a" { siteCheck.path = "/health/inner"; })
  ] [ ];
}
