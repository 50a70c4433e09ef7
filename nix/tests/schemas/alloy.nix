# Alloy's language, as far as it is used here: one construct a line. From github.com/grafana/alloy:
# docs/sources/reference/components/loki/loki.{write,process,relabel,source.journal}.md,
# docs/sources/shared/reference/components/rule-block-logs.md,
# internal/runtime/internal/controller/loader.go (a component declared twice).
{ lib }:
let
  block =
    required: attributes: blocks:
    { inherit required blocks; attributes = required ++ attributes; };
  rule = block [ ] [
    "action"
    "modulus"
    "regex"
    "replacement"
    "separator"
    "source_labels"
    "target_label"
  ] { };
  drop = block [ ] [
    "drop_counter_reason"
    "expression"
    "longer_than"
    "older_than"
    "separator"
    "source"
    "value"
  ] { };
  match = block [ "selector" ] [
    "action"
    "drop_counter_reason"
    "pipeline_name"
  ] { "stage.drop" = drop; };

  components = {
    "loki.write" = block [ ] [ "external_labels" "max_streams" ] {
      endpoint = block [ "url" ] [
        "basic_auth"
        "batch_size"
        "batch_wait"
        "bearer_token_file"
        "headers"
        "name"
        "remote_timeout"
        "tenant_id"
      ] { };
    };
    "loki.process" = block [ "forward_to" ] [ ] {
      "stage.match" = match;
      "stage.drop" = drop;
    };
    "loki.relabel" = block [ "forward_to" ] [ "max_cache_size" ] { inherit rule; };
    "loki.source.journal" = block [ "forward_to" ] [
      "format_as_json"
      "labels"
      "matches"
      "max_age"
      "path"
      "relabel_rules"
    ] { };
  };
  exports = {
    "loki.write" = [ "receiver" ];
    "loki.process" = [ "receiver" ];
    "loki.relabel" = [
      "receiver"
      "rules"
    ];
    "loki.source.journal" = [ ];
  };

  step =
    state: line:
    let
      top = lib.last state.stack;
      opened = builtins.match ''([a-z_.]+)( "([a-z_]+)")? \{'' line;
      assigned = builtins.match ''([a-z_]+) *= *(.*)'' line;
      kind = lib.head opened;
      label = lib.elemAt opened 2;
      id = "${kind}.${toString label}";
      wrong = message: state // { errors = state.errors ++ [ message ]; };
      push = spec: state // { stack = state.stack ++ [ { inherit spec; name = kind; seen = [ ]; } ]; };
    in
    if line == "" then
      state
    # Inside a map that `key = {` opened.
    else if state.inMap then
      if lib.hasPrefix "}" line then state // { inMap = false; } else state
    else if line == "}" then
      state
      // {
        stack = lib.init state.stack;
        errors =
          state.errors
          ++ map (name: ''${top.name}: missing required attribute "${name}"'') (
            lib.subtractLists top.seen top.spec.required
          );
      }
    else if opened != null then
      if lib.length state.stack == 1 then
        if !(components ? ${kind}) then
          (wrong ''cannot find the definition of component name "${kind}"'')
          // {
            stack = state.stack ++ [ { spec = block [ ] [ ] { }; name = kind; seen = [ ]; } ];
          }
        else if lib.elem id state.ids then
          (push components.${kind}) // { errors = state.errors ++ [ "block ${id} already declared" ]; }
        else
          (push components.${kind})
          // {
            ids = state.ids ++ [ id ];
            exported = state.exported ++ map (name: "${id}.${name}") exports.${kind};
          }
      else if !(top.spec.blocks ? ${kind}) then
        (push (block [ ] [ ] { })) // { errors = state.errors ++ [ ''${top.name}: unrecognized block name "${kind}"'' ]; }
      else
        push top.spec.blocks.${kind}
    else if assigned != null then
      let
        name = lib.head assigned;
        value = lib.last assigned;
        references = map lib.head (
          lib.filter lib.isList (builtins.split "(loki\\.[a-z_.]+)" (lib.concatStrings (lib.filter lib.isString (builtins.split ''"[^"]*"'' value))))
        );
      in
      state
      // {
        inMap = lib.hasSuffix "{" value;
        used = state.used ++ references;
        errors =
          state.errors
          ++ lib.optional (!lib.elem name top.spec.attributes) ''${top.name}: unrecognized attribute name "${name}"'';
        stack = lib.init state.stack ++ [ (top // { seen = top.seen ++ [ name ]; }) ];
      }
    else
      wrong "not understood: ${line}";

  start = {
    stack = [ { spec = block [ ] [ ] { }; name = "the file"; seen = [ ]; } ];
    errors = [ ];
    ids = [ ];
    exported = [ ];
    used = [ ];
    inMap = false;
  };
in
text:
let
  end = lib.foldl' step start (map lib.trim (lib.splitString "\n" text));
in
end.errors
++ lib.optional (lib.length end.stack != 1) "a block is not closed"
++ map (name: "component ${name} does not exist") (lib.subtractLists end.exported (lib.unique end.used))
