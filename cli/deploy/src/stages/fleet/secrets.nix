# The secrets that a machine declares, with their files as the flake has them. No system is
# instantiated for it, which takes most of an evaluation.
{ configurations }:
let
  inherit (builtins) attrNames filter map;
in
name:
let
  config = configurations.${name}.config or { };
  age = config.age.secrets or { };
  derived = config.homelab.derived.secrets or { };
  one =
    each:
    let
      ours = derived.${each} or { };
      file = if (ours.file or null) != null then ours.file else age.${each}.file or null;
    in
    {
      name = each;
      # Interpolation would copy a path to the store, under another name.
      file = if file == null then null else builtins.unsafeDiscardStringContext (toString file);
      services = ours.services or [ ];
      hint = ours.hint or "";
      generator = ours.generator or null;
    };
in
filter (secret: secret.file != null) (map one (attrNames (age // derived)))
