# Two services behind the proxy, for a lab host and for the rendered configuration: one with a
# DynamicUser's state, and one behind a login except for one path.
{
  imports = [ (import ./notes.nix "/usr/bin/python3 ${./notes.py} 8000") ];

  homelab = {
    services.notes = {
      title = "Notes";
      port = 8000;
      sites = [ "notes.local.kaifer.dev" ];
      health.page.kind.http.path = "/";
    };
    services.inner = {
      title = "Inner";
      unit = "inner.service";
      port = 8001;
      extraPorts.login.port = 9091;
      sites = [ "inner.local.kaifer.dev" ];
      auth = {
        kind = "forward";
        bypassPaths = [ "/open/*" ];
      };
      health.page.kind.http.path = "/";
      noBackupReason = "has no state";
    };
    proxy.forwardAuth.url = "127.0.0.1:9091";
  };

  systemd.services.inner = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.DynamicUser = true;
    script = "exec /usr/bin/python3 ${./notes.py} 8001 login:9091";
  };
}
