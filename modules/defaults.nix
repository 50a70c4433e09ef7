# A stanza of which every field is a default: what a shipped module says about its own
# service, a user says otherwise without `mkForce`. Proof: nix/tests/overrides.nix.
lib:
let
  go =
    name: value:
    if lib.isAttrs value && value._type or null == "if" then
      value // { content = go name value.content; }
    # What is checked is one of several: another kind takes the place of the whole.
    else if lib.isAttrs value && value ? _type || lib.isDerivation value || name == "kind" then
      if value ? _type then value else lib.mkDefault value
    else if lib.isAttrs value then
      lib.mapAttrs go value
    else
      lib.mkDefault value;
in
go ""
