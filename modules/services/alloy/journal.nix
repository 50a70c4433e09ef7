# Alloy's configuration, in its own language.
{ lib }:
{
  logLabels,
  push,
  host,
}:
let
  string = builtins.toJSON;
  exactly = unit: "^${lib.escapeRegex unit}$";

  labelRule = label: ''
    rule {
      source_labels = ["__journal__systemd_unit"]
      regex         = ${string (exactly label.unit)}
      target_label  = "service"
      replacement   = ${string label.service}
    }
  '';
  dropping = lib.filter (label: label.dropRegex != null) logLabels;
  dropStage = label: ''
    stage.match {
      selector = ${string ''{unit="${label.unit}"}''}
      stage.drop {
        expression = ${string label.dropRegex}
      }
    }
  '';
  indent = text: lib.concatMapStringsSep "\n" (line: lib.optionalString (line != "") "  ${line}") (lib.splitString "\n" (lib.removeSuffix "\n" text));
in
''
  loki.write "default" {
    endpoint {
      url = ${string push}
    }
    external_labels = {
      host = ${string host},
    }
  }

  loki.process "journal" {
    forward_to = [loki.write.default.receiver]
  ${lib.concatMapStringsSep "\n" (label: indent (dropStage label)) dropping}
  }

  loki.relabel "journal" {
    forward_to = []

    rule {
      source_labels = ["__journal__systemd_unit"]
      target_label  = "unit"
    }
    rule {
      source_labels = ["unit"]
      regex         = "(session|run|user)[-@].*"
      target_label  = "unit"
      replacement   = "$1"
    }
    rule {
      source_labels = ["__journal_priority_keyword"]
      target_label  = "level"
    }
    rule {
      source_labels = ["unit"]
      target_label  = "service"
    }
  ${lib.concatMapStringsSep "\n" (label: indent (labelRule label)) logLabels}
    rule {
      source_labels = ["service"]
      target_label  = "service_name"
    }
  }

  loki.source.journal "journal" {
    max_age       = "24h"
    relabel_rules = loki.relabel.journal.rules
    forward_to    = [loki.process.journal.receiver]
  }
''
