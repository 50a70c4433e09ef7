# Makes every field of a stanza a default, so that a user can override what a shipped module
# declares without `mkForce`. Proof: nix/tests/overrides.nix.
lib:
let
  go =
    name: value:
    if lib.isAttrs value && value._type or null == "if" then
      value // { content = go name value.content; }
    # `kind` has one of several values, so another kind replaces the whole value.
    else if lib.isAttrs value && value ? _type || lib.isDerivation value || name == "kind" then
      if value ? _type then value else lib.mkDefault value
    else if lib.isAttrs value then
      lib.mapAttrs go value
    else
      lib.mkDefault value;
in
go ""
