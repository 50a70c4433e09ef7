# Every query of a dashboard or an alert uses metrics that an exporter here has.
{ inputs, lib, ... }:
let
  inherit (inputs.self.nixosConfigurations.frame1) config;
  inherit (config.homelab) derived;
  known = lib.concatLists (lib.attrValues (import ./metric-names.nix));

  # The text without what a pattern matches.
  without = pattern: text: lib.concatStrings (lib.filter lib.isString (builtins.split pattern text));
  metricsOf =
    query:
    let
      text = lib.foldl' (rest: pattern: without pattern rest) query [
        ''"[^"]*"''
        "\\{[^}]*}"
        "\\[[^]]*]"
        "(by|without|on|ignoring|group_left|group_right) *\\([^)]*\\)"
      ];
      words = lib.filter lib.isList (builtins.split "([a-zA-Z_:][a-zA-Z0-9_:]*)( *\\(?)" text);
    in
    map lib.head (
      lib.filter (
        word:
        !lib.hasSuffix "(" (lib.last word)
        && !lib.elem (lib.head word) [
          "and"
          "or"
          "unless"
          "bool"
        ]
      ) words
    );

  queriesOf =
    board:
    lib.concatMap (
      panel: lib.optionals (panel.datasource.type == "prometheus") (map (target: target.expr) panel.targets)
    ) board.panels;

  # Labels in LogQL are in the selector and behind `by`. The labels of lines come from the journal's
  # rules.
  namesOf = pattern: text: map lib.head (lib.filter lib.isList (builtins.split pattern text));
  labelsOf =
    query:
    namesOf "([a-zA-Z_]+) *(=~|!~|!=|=)" query
    ++ lib.concatMap (group: map lib.trim (lib.splitString "," group)) (namesOf "by *\\(([^)]*)\\)" query);
  labels = [ "host" ] ++ namesOf "target_label *= \"([a-z_]+)\"" config.environment.etc."alloy/config.alloy".text;
  logQueries = lib.concatMap (
    board:
    lib.concatMap (
      panel: lib.optionals (panel.datasource.type == "loki") (map (target: target.expr) panel.targets)
    ) board.panels
  ) (lib.attrValues boards);
  boards = lib.mapAttrs (_: lib.importJSON) derived.dashboards;
  rules = lib.concatMap (group: group.rules) derived.alertGroups;
  unknown = queries: lib.subtractLists known (lib.unique (lib.concatMap metricsOf queries));
  sources = map (source: source.uid) derived.datasources;
in
{
  "every panel names metrics that exist" = {
    expr = lib.mapAttrs (_: board: unknown (queriesOf board)) boards;
    expected = lib.mapAttrs (_: _: [ ]) boards;
  };
  "every alert names metrics that exist" = {
    expr = unknown (map (rule: rule.expr) rules);
    expected = [ ];
  };
  "every query of the logs names labels that lines have" = {
    expr = lib.subtractLists labels (lib.concatMap labelsOf logQueries);
    expected = [ ];
  };
  "a misspelt label is found" = {
    expr = lib.subtractLists labels (labelsOf ''sum by (servcie) (rate({unti="a", level=~"b"} |= "x" [5m]))'');
    expected = [
      "unti"
      "servcie"
    ];
  };
  "a misspelt metric is found" = {
    expr = unknown [
      ''sum by (code) (rate(caddy_http_requets_total{code="200"}[5m])) / on (x) up''
    ];
    expected = [ "caddy_http_requets_total" ];
  };
  "every panel names a data source that is declared" = {
    expr = lib.mapAttrs (
      _: board: lib.subtractLists sources (map (panel: panel.datasource.uid) board.panels)
    ) boards;
    expected = lib.mapAttrs (_: _: [ ]) boards;
  };
  "there are dashboards, with uids of their own" = {
    expr = lib.sort lib.lessThan (map (board: board.uid) (lib.attrValues boards));
    expected = [
      "logs"
      "machine"
      "proxy"
    ];
  };
}
