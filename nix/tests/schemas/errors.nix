# What a value has wrong by a schema: a list of messages, each with the path.
#
# A schema is one of
#   { fields = { NAME = schema; }; required = [ NAME ]; }   nothing besides the fields
#   { items = schema; }                                     a list
#   { values = schema; }                                    a map with names of one's own
#   { type = "string"; one = [ … ]; matches = REGEX; }      the last two may be left out
# each with `rules`, functions from the value to messages, if need be.
{ lib }:
let
  typeName = value: if builtins.isAttrs value then "map" else builtins.typeOf value;
  at = path: message: "${if path == "" then "the file" else path}: ${message}";
  below = path: name: if path == "" then name else "${path}.${name}";

  errors =
    path: schema: value:
    shape path schema value
    ++ lib.optionals (shape path schema value == [ ]) (
      map (at path) (lib.concatMap (rule: rule value) (schema.rules or [ ]))
    );

  shape =
    path: schema: value:
    if schema ? fields then
      if !builtins.isAttrs value then
        [ (at path "a map is wanted, this is a ${typeName value}") ]
      else
        map (name: at path "there is no field ${name}") (
          lib.attrNames (removeAttrs value (lib.attrNames schema.fields))
        )
        ++ map (name: at path "the field ${name} is missing") (
          lib.filter (name: !(value ? ${name})) (schema.required or [ ])
        )
        ++ lib.concatLists (
          lib.mapAttrsToList (name: errors (below path name) schema.fields.${name}) (
            lib.intersectAttrs schema.fields value
          )
        )
    else if schema ? items then
      if !builtins.isList value then
        [ (at path "a list is wanted, this is a ${typeName value}") ]
      else
        lib.concatLists (lib.imap0 (index: errors "${path}[${toString index}]" schema.items) value)
    else if schema ? values then
      if !builtins.isAttrs value then
        [ (at path "a map is wanted, this is a ${typeName value}") ]
      else
        lib.concatLists (lib.mapAttrsToList (name: errors (below path name) schema.values) value)
    else if schema.type != "any" && schema.type != typeName value then
      [ (at path "a ${schema.type} is wanted, this is a ${typeName value}") ]
    else if schema ? one && !lib.elem value schema.one then
      [ (at path "${toString value} is none of ${toString schema.one}") ]
    else if schema ? matches && builtins.match schema.matches value == null then
      [ (at path "${value} does not match ${schema.matches}") ]
    else
      [ ];
in
errors ""
