# The check that a deploy uses sees a service that stops answering.
{ inputs, pkgs }:
{
  name = "failing-gate";

  nodes.server = {
    imports = [ (import ./common.nix { inherit inputs; }) ];

    deploy.agent.enable = true;
    # Machines of tests have no switch-to-configuration by default.
    system.switch.enable = true;
    systemd.services.web = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig.DynamicUser = true;
      script = "exec ${pkgs.python3}/bin/python3 -m http.server --bind 127.0.0.1 8000 --directory ${pkgs.writeTextDir "health" "well"}";
    };
    homelab.services.web = {
      unit = "web.service";
      port = 8000;
      health.page.kind.http = {
        path = "/health";
        contains = "well";
      };
      noBackupReason = "has no state";
    };

    # The target of the switch: the page is gone, and everything else is as before.
    specialisation.broken.configuration = {
      systemd.services.web.script = pkgs.lib.mkForce "exec ${pkgs.python3}/bin/python3 -m http.server --bind 127.0.0.1 8000 --directory ${pkgs.writeTextDir "other" "page"}";
    };
  };

  testScript = ''
    import json

    server.wait_for_unit("multi-user.target")
    server.wait_for_open_port(8000)

    manifest = json.loads(server.succeed("cat /etc/deploy-agent/manifest.json"))
    check = next(c for c in manifest["checks"] if c["name"] == "web.health.page")
    kind = check["kind"]
    url = f"http://{kind['address']}:{kind['port']}{kind['path']}"
    assert check["level"] == "required"

    with subtest("it holds"):
        assert kind["contains"] in server.wait_until_succeeds(f"curl -fs {url}")

    with subtest("the unit looks well and the check does not"):
        server.succeed("/run/current-system/specialisation/broken/bin/switch-to-configuration test")
        server.wait_for_unit("web.service")
        server.wait_for_open_port(8000)
        server.fail(f"curl -fs {url}")
  '';
}
