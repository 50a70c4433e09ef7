# Compares configurations of programs that cannot run without nixpkgs with what their sources say.
# Each schema also refuses what the program's own documentation or tests call wrong.
{ inputs, lib, ... }:
let
  inherit (inputs.self.nixosConfigurations.frame1.config) services environment;
  errors = import ./schemas/errors.nix { inherit lib; };
  kinds = import ./schemas/kinds.nix { inherit lib; };
  loki = import ./schemas/loki.nix { inherit lib kinds; };
  grafana = import ./schemas/grafana.nix { inherit lib kinds; };
  homepage = import ./schemas/homepage.nix { inherit lib kinds; };
  alloy = import ./schemas/alloy.nix { inherit lib; };

  fits = schema: value: {
    expr = errors schema value;
    expected = [ ];
  };
  refused = schema: value: message: {
    expr = errors schema value;
    expected = [ message ];
  };

  logs = services.loki.configuration;
  sources = {
    inherit (services.grafana.provision.datasources.settings) apiVersion prune;
    datasources = map (
      source:
      lib.getAttrs [
        "name"
        "type"
        "uid"
        "access"
        "url"
        "isDefault"
        "editable"
        "jsonData"
      ] source
    ) services.grafana.provision.datasources.settings.datasources;
  };
  withSource = change: sources // { datasources = [ (lib.head sources.datasources // change) ]; };
  boards = {
    apiVersion = 1;
    providers = map (
      provider:
      lib.getAttrs [
        "name"
        "type"
        "allowUiUpdates"
        "options"
      ] provider
    ) services.grafana.provision.dashboards.settings.providers;
  };
  page = services.homepage-dashboard;
  text = environment.etc."alloy/config.alloy".text;
in
{
  "Loki's configuration is right" = fits loki logs;
  # docs/sources/setup/upgrade/_index.md, "Removed `shared_store` … from compactor configuration"
  "Loki: a field that 3.0 removed" = refused loki (lib.recursiveUpdate logs {
    compactor.shared_store = "filesystem";
  }) "compactor: there is no field shared_store";
  # pkg/compactor/config.go, Validate
  "Loki: retention without a store for requests to delete" = refused loki (
    logs // { compactor = removeAttrs logs.compactor [ "delete_request_store" ]; }
  ) "compactor: delete_request_store must be set when retention is enabled";
  # pkg/loki/validation.go
  "Loki: structured metadata with schema v12" = refused loki (
    logs
    // {
      schema_config.configs = map (config: config // { schema = "v12"; }) logs.schema_config.configs;
    }
  ) "the file: structured metadata needs tsdb with schema v13";
  # docs/sources/shared/configuration.md, "Generic placeholders"
  "Loki: a retention in days" = refused loki (lib.recursiveUpdate logs {
    limits_config.reject_old_samples_max_age = "7d";
  }) "limits_config.reject_old_samples_max_age: 7d does not match ([0-9]+(ns|us|ms|s|m|h))+";

  "Grafana's data sources are right" = fits grafana.datasources sources;
  "Grafana's dashboards are right" = fits grafana.dashboards boards;
  # pkg/services/provisioning/datasources: "Only one datasource per organization can be
  # marked as default"
  "Grafana: two default data sources" = refused grafana.datasources (
    sources // { datasources = map (source: source // { isDefault = true; }) sources.datasources; }
  ) "datasources: one data source can be the default";
  # pkg/services/provisioning/datasources/testdata/invalid-access (Grafana takes `proxy`
  # instead, and warns)
  "Grafana: an access that is none" = refused grafana.datasources (withSource {
    access = "foo";
  }) "datasources[0].access: foo is none of proxy direct";
  # pkg/services/provisioning/datasources/testdata/version-0
  "Grafana: another version of the file" = refused grafana.datasources (
    sources // { apiVersion = 0; }
  ) "apiVersion: 0 is none of 1";
  # pkg/services/provisioning/dashboards/file_reader.go
  "Grafana: dashboards without a path" = refused grafana.dashboards (
    boards // { providers = map (provider: provider // { options = { }; }) boards.providers; }
  ) "providers[0].options: the field path is missing";

  "Homepage's tiles are right" = fits homepage.services page.services;
  "Homepage's settings are right" = fits homepage.settings page.settings;
  "Homepage's widgets are right" = fits homepage.widgets page.widgets;
  # docs/configs/services.md, "Groups": top-level array entries
  "Homepage: groups as a map" = refused homepage.services {
    Group = [ ];
  } "the file: a list is wanted, this is a map";
  # docs/configs/services.md, "Services": array entries on groups
  "Homepage: tiles as a map" = refused homepage.services [
    { Group.Tile.href = "http://localhost/"; }
  ] "[0].Group: a list is wanted, this is a map";
  # docs/configs/services.md, "Multiple Widgets"
  "Homepage: widget and widgets" = refused homepage.services [
    {
      Group = [
        {
          Tile = {
            widget.type = "emby";
            widgets = [ { type = "emby"; } ];
          };
        }
      ];
    }
  ] "[0].Group[0].Tile: either widget or widgets";

  "Alloy's configuration is right" = {
    expr = alloy text;
    expected = [ ];
  };
  "Alloy's configuration has a label for every unit" = {
    expr = lib.filter (label: !lib.hasInfix (builtins.toJSON label.service) text) inputs.self.nixosConfigurations.frame1.config.homelab.derived.logLabels;
    expected = [ ];
  };
  # internal/runtime/internal/controller/loader_test.go, Component_block_redefined
  "Alloy: a component declared twice" = {
    expr = alloy (text + text);
    expected = map (id: "block ${id} already declared") [
      "loki.write.default"
      "loki.process.journal"
      "loki.relabel.journal"
      "loki.source.journal.journal"
    ];
  };
  # docs/sources/reference/components/loki/loki.source.journal.md: forward_to is required
  "Alloy: an attribute that must be there" = {
    expr = alloy ''
      loki.source.journal "x" {
        max_age = "7h"
      }
    '';
    expected = [ ''loki.source.journal: missing required attribute "forward_to"'' ];
  };
  # internal/component/database_observability/mysql/component_test.go asks for this message
  "Alloy: an attribute that does not exist, a component that was never made" = {
    expr = alloy ''
      loki.process "x" {
        forward_to = [loki.write.nowhere.receiver]
        targets    = []
      }
    '';
    expected = [
      ''loki.process: unrecognized attribute name "targets"''
      "component loki.write.nowhere.receiver does not exist"
    ];
  };
}
