# A user changes what a shipped module declares about its service without `mkForce`, field by field,
# and switches off what is derived from it.
{ inputs, lib, evaluate, smallest, ... }@arguments:
let
  inherit (inputs.self.nixosConfigurations) frame1;
  # The definitions of this flake's modules, with priorities and conditions.
  shipped = import ./shipped arguments;
  all = smallest ([ shipped.ground ] ++ map shipped.exampleOf shipped.names);
  stanzas = lib.filter (
    definition: lib.hasInfix "/modules/services/" definition.file
  ) all.options.homelab.services.definitionsWithLocations;

  # The fields of a stanza as paths, down to values that are not sets of fields.
  content =
    value:
    if value._type or null == "if" then
      (if value.condition then content value.content else { })
    else if value._type or null == "override" then
      value
    else if lib.isAttrs value && !lib.isDerivation value then
      lib.filterAttrs (_: field: field != { }) (lib.mapAttrs (_: content) value)
    else
      value;
  leaves =
    path: value:
    if lib.isAttrs value && !(value ? _type) && !lib.isDerivation value then
      lib.concatLists (lib.mapAttrsToList (name: leaves (path ++ [ name ])) value)
    else
      [ { inherit path value; } ];
  fields = lib.concatMap (definition: leaves [ ] (content definition.value)) stanzas;

  isDefault = value: value._type or null == "override" && value.priority == (lib.mkDefault null).priority;
  bare = lib.filter (field: !isDefault field.value) fields;

  # Another value of the same type.
  other =
    value:
    if lib.isBool value then
      !value
    else if lib.isInt value then
      value + 1
    else if lib.isList value then
      [ ]
    else if lib.isString value then
      value
    else
      value;
  plain = field: if lib.isAttrs field.value then field.value.content else field.value;
  overriding = lib.foldl' lib.recursiveUpdate { } (
    map (field: lib.setAttrByPath field.path (other (plain field))) (
      lib.filter (
        field:
        # The types accept only few lists and paths, and a list of the user's shows the same.
        # Services that the pages enable stay enabled.
        lib.tail field.path != [ "enable" ]
        && (!lib.isList (plain field) || !lib.elem (lib.last field.path) [ "paths" "argv" ])
      ) fields
    )
  );
  # This does not read `config`, because policies refuse a machine with all fields changed at once.
  overridden =
    (all.extendModules { modules = [ { homelab.services = overriding; } ]; }).options.homelab.services.value;
  wrong = lib.filter (
    field: lib.attrByPath field.path null overridden != lib.attrByPath field.path null overriding
  ) (lib.filter (field: lib.hasAttrByPath field.path overriding && lib.last field.path != "kind" ) fields);

  with_ = fields: (frame1.extendModules { modules = [ { homelab.services.grafana = fields; } ]; }).config;
  checks = config: map (check: check.name) (lib.filter (check: check.service == "grafana") config.homelab.derived.checks);
  siteCheck = config: lib.findFirst (check: lib.hasPrefix "grafana.site." check.name) null config.homelab.derived.checks;
in
{
  "every field of every shipped stanza is a default" = {
    expr = map (field: lib.concatStringsSep "." field.path) bare;
    expected = [ ];
  };
  "fields are found" = {
    expr = lib.length fields > 80 && lib.length (lib.unique (map (field: lib.head field.path) fields)) > 10;
    expected = true;
  };
  "one of one's own counts in its place, without mkForce" = {
    expr = map (field: lib.concatStringsSep "." field.path) wrong;
    expected = [ ];
  };
  "a user changes the group, the audience and the kind of a check, and adds a site" = {
    expr =
      let
        config = with_ {
          group = "x";
          sites."grafana.local.kaifer.dev".audience = "tailnet";
          sites."graphs.local.kaifer.dev" = { };
          health.api.kind.tcp = { };
          backup.exclude = [ "*.log" ];
        };
        inherit (config.homelab.services) grafana;
      in
      {
        inherit (grafana) group;
        audiences = map (site: "${site.host} ${site.audience}") grafana.siteList;
        kind = lib.attrNames grafana.health.api.kind;
        backup = { inherit (grafana.backup) exclude sentinel; };
      };
    expected = {
      group = "x";
      audiences = [
        "grafana.local.kaifer.dev tailnet"
        "graphs.local.kaifer.dev lan"
      ];
      kind = [ "tcp" ];
      backup = {
        exclude = [ "*.log" ];
        inherit (frame1.config.homelab.services.grafana.backup) sentinel;
      };
    };
  };
  "each consumer is switched off for one service" = {
    expr =
      let
        config = with_ {
          tile.enable = false;
          siteCheck.enable = false;
          certificateCheck.enable = false;
          health.api.enable = false;
          metrics.default.enable = false;
          alerting.enable = false;
          logs.enable = false;
          backup = null;
          noBackupReason = "is saved elsewhere";
        };
        inherit (config.homelab) derived;
      in
      {
        checks = checks config;
        tiles = lib.any (tile: tile.name == "grafana") (lib.concatLists (lib.attrValues derived.tiles));
        jobs = lib.any (job: job.job_name == "grafana") derived.scrapeJobs;
        alerts = lib.any (group: group.name == "grafana") derived.alertGroups;
        logs = lib.any (label: label.service == "grafana") derived.logLabels;
        backup = derived.backups ? grafana;
        site = lib.any (site: site.service == "grafana") derived.sites;
      };
    expected = {
      checks = [ "grafana.unit.grafana.service" ];
      tiles = false;
      jobs = false;
      alerts = false;
      logs = false;
      backup = false;
      site = true;
    };
  };
  "the site's check has a level and a grace of its own, the certificate's a level" = {
    expr =
      let
        config = with_ {
          siteCheck = {
            level = "advisory";
            grace = 5;
          };
          certificateCheck.level = "advisory";
        };
      in
      {
        inherit (siteCheck config) level grace;
        certificate =
          (lib.findFirst (check: lib.hasPrefix "grafana.certificate." check.name) null config.homelab.derived.checks).level;
      };
    expected = {
      level = "advisory";
      grace = 5;
      certificate = "advisory";
    };
  };
  "two definitions of a site are one, and a list does as well as a set" = {
    expr =
      let
        config = evaluate [
          {
            homelab.tls.mode = "internal";
            homelab.services.caddy.enable = true;
            homelab.services.a = {
              port = 1;
              noBackupReason = "test";
              sites = [
                "z.example.org"
                {
                  host = "a.example.org";
                  routes."/x".deny = 404;
                }
              ];
            };
          }
          { homelab.services.a.sites."a.example.org".audience = "tailnet"; }
        ];
      in
      map (site: "${site.host} ${site.audience} ${toString (lib.attrNames site.routes)}") config.homelab.services.a.siteList;
    expected = [
      "z.example.org lan "
      "a.example.org tailnet /x"
    ];
  };
}
