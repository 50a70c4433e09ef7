# What can be changed without a login may be reached only by the machine's own programs, unless the
# paths are declared.
{ lib, config, ... }:
let
  services = config.homelab.enabledServices;
  paths = import ../paths.nix lib;
  changes =
    service: lib.filter (what: what != "read") (if service.access.open == null then [ ] else service.access.open);

  # All services that a site leads to: its own, and those of its routes.
  entries = lib.concatMap (
    site:
    [ site ]
    ++ map (route: route // { inherit (site) host; }) (lib.filter (route: route.deny == null) site.routes)
  ) config.homelab.derived.sites;
  open = lib.filter (
    entry:
    services ? ${entry.service}
    && changes services.${entry.service} != [ ]
    && entry.auth.kind != "forward"
    && entry.allowed == null
  ) entries;

  exposed = lib.filterAttrs (
    _: service: service.openFirewall && service.auth.kind == "none" && changes service != [ ]
  ) services;

  wrong = lib.concatLists (
    lib.mapAttrsToList (
      name: service:
      map (path: { inherit name path; }) (
        lib.filter (path: !paths.isValid path && path != "/*") (
          if service.access.sitePaths == null then [ ] else service.access.sitePaths
        )
      )
    ) services
  );

  # A site that would refuse its own check.
  unasked = lib.filter (
    site:
    let
      service = services.${site.service};
    in
    site.allowed != null
    && site.auth.kind != "forward"
    && paths.find service.siteCheck.path site.allowed == null
  ) config.homelab.derived.sites;
  # An address alone proves little: modules/derived/tailnet.nix.
  unproven = lib.optionals (config.homelab.proxy.tailnetInterface != null && !config.networking.firewall.enable) (
    lib.filter (entry: entry.audience == "tailnet") entries
  );
in
{
  assertions =
    map (entry: {
      assertion = false;
      message = "${entry.host} is for the tailnet alone, and the firewall, which sees by which interface somebody comes, is off: set networking.firewall.enable, or another audience in homelab.services.${entry.service}.sites";
    }) unproven
    ++ map (entry: {
      assertion = false;
      message = "${entry.host} lets everybody whom it serves change ${entry.service} (${
        lib.concatStringsSep ", " (changes services.${entry.service})
      }) without a login: set homelab.services.${entry.service}.access.sitePaths to what they may ask for, or homelab.services.${entry.service}.auth.kind = \"forward\"";
    }) open
    ++ lib.mapAttrsToList (name: service: {
      assertion = false;
      message = "the firewall lets other hosts change ${name} (${lib.concatStringsSep ", " (changes service)}) without a login: leave out homelab.services.${name}.openFirewall, or say what guards it in homelab.services.${name}.auth.kind";
    }) exposed
    ++ map (
      { name, path }:
      {
        assertion = false;
        message = "`${path}` is no path: write it as /x, /x* or /x/*, in lower case, in homelab.services.${name}.access.sitePaths";
      }
    ) wrong
    ++ map (site: {
      assertion = false;
      message = "the deploy asks ${site.host} for ${services.${site.service}.siteCheck.path}, which its site does not let through: add it to homelab.services.${site.service}.access.sitePaths, or change homelab.services.${site.service}.siteCheck.path";
    }) unasked;
}
