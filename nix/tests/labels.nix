# The labels that Alloy gives a line of the journal. The rules of its file are applied like
# Prometheus' relabelling (docs/sources/shared/reference/components/rule-block-logs.md of
# github.com/grafana/alloy: joined by `;`, a regular expression that must match the whole, `$1` in
# the replacement, `replace` by default).
{
  inputs,
  lib,
  demo,
  ...
}:
let
  lines =
    text:
    map lib.trim (
      lib.splitString "\n" (
        lib.head (lib.splitString "loki.source.journal" (lib.last (lib.splitString ''loki.relabel "journal" {'' text)))
      )
    );

  # The values are lists and strings, as in JSON.
  read =
    rules: line:
    let
      assigned = builtins.match "([a-z_]+) *= *(.*)" line;
    in
    if line == "rule {" then
      rules ++ [ { } ]
    else if assigned == null || rules == [ ] then
      rules
    else
      lib.init rules ++ [ (lib.last rules // { ${lib.head assigned} = builtins.fromJSON (lib.last assigned); }) ];
  rulesOf = text: lib.foldl' read [ ] (lines text);

  apply =
    labels: rule:
    let
      joined = lib.concatMapStringsSep ";" (name: labels.${name} or "") rule.source_labels;
      groups = builtins.match (rule.regex or "(.*)") joined;
    in
    if groups == null then
      labels
    else
      labels
      // {
        ${rule.target_label} = lib.replaceStrings [ "$1" ] [ (lib.concatStrings (lib.take 1 groups)) ] (
          rule.replacement or "$1"
        );
      };

  labelsOf =
    machine: entry:
    lib.filterAttrs (name: _: !lib.hasPrefix "__" name) (
      lib.foldl' apply entry (rulesOf machine.config.environment.etc."alloy/config.alloy".text)
    );
  entry = unit: {
    __journal__systemd_unit = unit;
    __journal_priority_keyword = "err";
  };

  machine = inputs.self.nixosConfigurations.frame1;
  withDemo = machine.extendModules { modules = [ (import ./demo.nix demo) ]; };
in
{
  "a line of a service's unit is labelled with the service, under the name that Grafana asks for too" = {
    expr = labelsOf machine (entry "homepage-dashboard.service");
    expected = {
      unit = "homepage-dashboard.service";
      level = "err";
      service = "homepage";
      service_name = "homepage";
    };
  };
  "a line of any other unit is labelled with the unit" = {
    expr = labelsOf machine (entry "systemd-udevd.service");
    expected = {
      unit = "systemd-udevd.service";
      level = "err";
      service = "systemd-udevd.service";
      service_name = "systemd-udevd.service";
    };
  };
  "sessions are one unit, so that each login is not a stream of its own" = {
    expr = (labelsOf machine (entry "session-17.scope")).unit;
    expected = "session";
  };
  "a unit whose name only begins like a service's is not the service's" = {
    expr = (labelsOf machine (entry "homepage-dashboard.service.d")).service;
    expected = "homepage-dashboard.service.d";
  };
  "one more service has its label" = {
    expr = (labelsOf withDemo (entry "${demo}.service")).service_name;
    expected = demo;
  };
}
