# The whole stack on one machine: every site answers by name through the proxy,
# every job is scraped, a line of the journal is found with its label, and another
# machine reaches nothing but what is open.
{ inputs, pkgs }:
{
  name = "stack";

  nodes.server = {
    imports = [
      (import ./common.nix { inherit inputs; })
      ../../../machines/frame1/services.nix
    ];
    homelab.tailscale.enable = pkgs.lib.mkForce false;
  };
  nodes.stranger = {
    environment.systemPackages = [ pkgs.curl ];
  };

  testScript =
    { nodes, ... }:
    let
      inherit (nodes.server) homelab;
      sites = map (site: site.host) homelab.derived.sites;
      jobs = pkgs.lib.length homelab.derived.scrapeJobs;
      closed = map toString [
        3000
        3001
        8428
        3100
        12345
        9100
        9093
        8880
      ];
    in
    ''
      import json

      sites = json.loads('${builtins.toJSON sites}')
      closed = json.loads('${builtins.toJSON closed}')
      checks = json.loads(r"""${builtins.toJSON homelab.derived.checks}""")
      root = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"

      start_all()
      server.wait_for_unit("multi-user.target")
      for check in checks:
          if check["kind"]["type"] == "unit" and check["level"] == "gate":
              server.wait_for_unit(check["kind"]["unit"])

      with subtest("every declared HTTP check holds"):
          for check in checks:
              kind = check["kind"]
              if kind["type"] == "http" and kind["sni"] is None:
                  host = kind["host"] or kind["address"]
                  server.wait_until_succeeds(
                      f"test $(curl -s -o /dev/null -w '%{{http_code}}' -H 'Host: {host}' "
                      f"http://{kind['address']}:{kind['port']}{kind['path']}) = {kind['status']}"
                  )

      with subtest("every site answers by name, the bare domain too"):
          server.wait_for_file(root)
          for check in checks:
              kind = check["kind"]
              if kind["type"] == "http" and kind["sni"] is not None:
                  server.wait_until_succeeds(
                      f"test $(curl -s -o /dev/null -w '%{{http_code}}' --cacert {root} "
                      f"--resolve {kind['sni']}:443:127.0.0.1 https://{kind['sni']}{kind['path']}) = {kind['status']}"
                  )
          assert "local.kaifer.dev" in sites

      with subtest("the start page lists every site"):
          page = server.succeed("curl -fs -H 'Host: 127.0.0.1:3000' http://127.0.0.1:3000/api/services")
          for site in sites:
              assert site in page, site

      with subtest("every job is scraped"):
          server.wait_until_succeeds(
              "curl -fs http://127.0.0.1:8428/api/v1/targets | "
              "grep -o '\"health\":\"up\"' | wc -l | grep -qx ${toString jobs}"
          )

      with subtest("a line of the journal is found with its service"):
          server.succeed("systemd-cat -t stack-test echo a-line-to-be-found")
          server.wait_until_succeeds(
              "curl -fsG http://127.0.0.1:3100/loki/api/v1/query_range "
              "--data-urlencode 'query={service=~\".+\"} |= \"a-line-to-be-found\"' | grep -q a-line-to-be-found"
          )
          server.wait_until_succeeds(
              "curl -fs http://127.0.0.1:3100/loki/api/v1/label/service/values | grep -q '\"grafana\"'"
          )

      with subtest("both data sources work"):
          for uid in ["metrics", "logs"]:
              server.wait_until_succeeds(
                  f"curl -fs -u admin:nixos http://127.0.0.1:3001/api/datasources/uid/{uid}/health | grep -q OK"
              )

      with subtest("a stranger reaches the proxy and nothing else"):
          stranger.wait_for_unit("multi-user.target")
          stranger.succeed("curl -sk --max-time 5 -o /dev/null https://server/")
          for port in closed:
              stranger.fail(f"curl -s --max-time 3 http://server:{port}/")
    '';
}
