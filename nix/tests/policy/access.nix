# What can be done without a login, and by whom.
{ service, one }:
let
  domain.homelab.tls.domains = [ "example.org" ];
  changed = access: {
    port = 1;
    sites = [ "a.example.org" ];
    access = {
      open = [
        "read"
        "delete"
      ];
    }
    // access;
  };
  refused = "a.example.org lets everybody whom it serves change a (delete) without a login: set homelab.services.a.access.sitePaths to what they may ask for, or homelab.services.a.auth.kind = \"forward\"";
in
{
  "a site through which anybody deletes" = one [
    domain
    (service "a" (changed { }))
  ] refused;

  "neither one that lets some paths through, nor one behind a login, nor one that can be read" = one [
    domain
    { homelab.proxy.forwardAuth.url = "127.0.0.1:9091"; }
    (service "a" (changed { sitePaths = [ "/" ]; }))
    (service "b" {
      port = 2;
      sites = [ "b.example.org" ];
      access.open = [ "write" ];
      auth.kind = "forward";
    })
    (service "c" {
      port = 3;
      sites = [ "c.example.org" ];
      access.open = [ "read" ];
    })
  ] [ ];

  "a path of another site that leads to what anybody deletes" =
    one
      [
        domain
        (service "a" (changed { } // { sites = [ ]; }))
        (service "b" {
          port = 2;
          sites = [
            {
              host = "a.example.org";
              routes."/a/*" = {
                service = "a";
                stripPrefix = true;
              };
            }
          ];
        })
      ]
      refused;

  "other hosts that change a service by its port" =
    one
      [
        (service "a" {
          port = 1;
          bind = "0.0.0.0";
          openFirewall = true;
          access.open = [ "write" ];
        })
      ]
      "the firewall lets other hosts change a (write) without a login: leave out homelab.services.a.openFirewall, or say what guards it in homelab.services.a.auth.kind";

  "a path that is none, and a check that nobody lets through" =
    one
      [
        domain
        (service "a" {
          port = 1;
          sites = [ "a.example.org" ];
          siteCheck.path = "/health";
          access.sitePaths = [ "api" ];
        })
      ]
      [
        "`api` is no path: write it as /x, /x* or /x/*, in lower case, in homelab.services.a.access.sitePaths"
        "the deploy asks a.example.org for /health, which its site does not let through: add it to homelab.services.a.access.sitePaths, or change homelab.services.a.siteCheck.path"
      ];

  "a site of the tailnet while nothing tells its addresses from forged ones" =
    one
      [
        domain
        {
          homelab.proxy.tailnetInterface = "tailscale0";
          networking.firewall.enable = false;
        }
        (service "a" {
          port = 1;
          sites = [
            {
              host = "a.example.org";
              audience = "tailnet";
            }
          ];
        })
      ]
      "a.example.org is for the tailnet alone, and the firewall, which sees by which interface somebody comes, is off: set networking.firewall.enable, or another audience in homelab.services.a.sites";
}
