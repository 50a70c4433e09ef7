# The whole stack on one machine: every site answers by name through the proxy, every job is
# scraped, a line of the journal is found with its label, and another machine reaches only what is
# open.
{ inputs, pkgs }:
let
  inherit (pkgs) lib;
in
{
  name = "stack";

  nodes.server = {
    imports = [
      (import ./common.nix { inherit inputs; })
      ../../../machines/frame1/services.nix
    ];
    homelab.services.tailscale.enable = lib.mkForce false;
    # Here Alloy checks its file at the start, and its health is a check of the machine. At the
    # build it would need the program, where nixpkgs may be a stand-in.
    homelab.services.alloy.checkConfig = false;
  };
  nodes.stranger = {
    environment.systemPackages = [ pkgs.curl ];
  };

  testScript =
    { nodes, ... }:
    let
      inherit (nodes.server) homelab;
      # All names in the script come from the contract.
      contract = {
        sites = map (site: site.host) homelab.derived.sites;
        inherit (homelab.derived) checks;
        inherit (homelab.proxy) httpsPort;
        jobs = lib.length homelab.derived.scrapeJobs;
        sources = map (source: source.uid) homelab.derived.datasources;
        labels = lib.unique (map (label: label.service) homelab.derived.logLabels);
        # The TCP ports that are listened on and not open.
        closed = lib.concatLists (
          lib.mapAttrsToList (
            _: service:
            lib.optional (service.port != null && !service.openFirewall) service.port
            ++ map (extra: extra.port) (
              lib.filter (extra: extra.protocol == "tcp" && !extra.openFirewall) (lib.attrValues service.extraPorts)
            )
          ) homelab.enabledServices
        );
        urls = lib.mapAttrs (_: service: "http://${service.bind}:${toString service.port}") (
          lib.filterAttrs (_: service: service.port != null) homelab.enabledServices
        );
      };
    in
    ''
      import json

      contract = json.loads(r"""${builtins.toJSON contract}""")
      urls = contract["urls"]
      port = contract["httpsPort"]
      root = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"


      # A request to a site, from any machine, by the server's address.
      def site(host, address, more=""):
          return f"curl -sS --max-time 10 {more} --resolve {host}:{port}:{address} https://{host}:{port}"


      # What is printed is kept whole: a program that is cut off by grep fails.
      def prints(command, text):
          return f"{command} > /tmp/out && grep -qF -- '{text}' /tmp/out"


      def status(command, path, wanted):
          return f"test $({command}{path} -o /dev/null -w '%{{http_code}}') = {wanted}"


      start_all()
      server.wait_for_unit("multi-user.target")
      for check in contract["checks"]:
          kind = check["kind"]
          if kind["type"] == "unit" and check["level"] == "required":
              server.wait_for_unit(kind["unit"])

      with subtest("every declared HTTP check holds"):
          for check in contract["checks"]:
              kind = check["kind"]
              if kind["type"] == "http" and kind["sni"] is None:
                  host = kind["host"] or kind["address"]
                  url = f"http://{kind['address']}:{kind['port']}"
                  server.wait_until_succeeds(
                      status(f"curl -s -H 'Host: {host}' {url}", kind["path"], kind["status"])
                  )

      with subtest("every site answers by name, the bare domain too"):
          server.wait_for_file(root)
          for check in contract["checks"]:
              kind = check["kind"]
              if kind["type"] == "http" and kind["sni"] is not None:
                  server.wait_until_succeeds(
                      status(site(kind["sni"], "127.0.0.1", f"--cacert {root}"), kind["path"], kind["status"])
                  )

      with subtest("the start page lists every site"):
          host = urls["homepage"].removeprefix("http://")
          page = server.succeed(f"curl -fsS -H 'Host: {host}' {urls['homepage']}/api/services")
          for name in contract["sites"]:
              assert name in page, name

      with subtest("every job is scraped"):
          server.wait_until_succeeds(
              f"curl -fsS {urls['victoriametrics']}/api/v1/targets > /tmp/targets && "
              f"test $(grep -o '\"health\":\"up\"' /tmp/targets | wc -l) = {contract['jobs']}"
          )

      with subtest("a line of the journal is found with its service"):
          server.succeed("systemd-cat -t stack-test echo a-line-to-be-found")
          query = "curl -fsSG --data-urlencode 'query={service=~\".+\"} |= \"a-line-to-be-found\"'"
          server.wait_until_succeeds(
              prints(f"{query} {urls['loki']}/loki/api/v1/query_range", "a-line-to-be-found")
          )
          values = f"curl -fsS {urls['loki']}/loki/api/v1/label/service/values"
          server.wait_until_succeeds(prints(values, '"grafana"'))
          assert "grafana" in contract["labels"]

      with subtest("every data source works"):
          for uid in contract["sources"]:
              url = f"{urls['grafana']}/api/datasources/uid/{uid}/health"
              server.wait_until_succeeds(prints(f"curl -fsS -u admin:nixos {url}", "OK"))

      with subtest("another machine reaches the sites and nothing else"):
          stranger.wait_for_unit("multi-user.target")
          address = stranger.succeed("getent ahostsv4 server").split()[0]
          for check in contract["checks"]:
              kind = check["kind"]
              if kind["type"] == "http" and kind["sni"] is not None:
                  stranger.wait_until_succeeds(
                      status(site(kind["sni"], address, "-k"), kind["path"], kind["status"])
                  )
          assert contract["closed"]
          for closed in contract["closed"]:
              stranger.fail(f"curl -s --max-time 3 http://{address}:{closed}/")
    '';
}
