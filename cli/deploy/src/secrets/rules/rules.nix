# What rules are, in words that JSON has. `deploy` says what is wrong with a rule.
rules:
let
  key = value: if builtins.isList value then map key value else if builtins.isString value then value else { kind = builtins.typeOf value; };
  rule =
    _: value:
    if builtins.isAttrs value then
      {
        publicKeys = if value ? publicKeys then key value.publicKeys else null;
        armor = if builtins.isBool (value.armor or null) || value.armor or null == null then value.armor or null else builtins.typeOf value.armor;
        fields = builtins.attrNames value;
      }
    else
      { kind = builtins.typeOf value; };
in
if builtins.isAttrs rules then { rules = builtins.mapAttrs rule rules; } else { kind = builtins.typeOf rules; }
