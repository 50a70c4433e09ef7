# How far a check decides over a deploy, and for how long it may fail before it does: fields
# of everything that is checked.
lib:
let
  inherit (lib) mkOption types;
in
rec {
  levels = types.enum [
    "required"
    "advisory"
    "required-once-passed"
  ];

  level =
    description:
    mkOption {
      type = levels;
      default = "required";
      inherit description;
    };

  grace =
    default: description:
    mkOption {
      type = types.ints.unsigned;
      inherit default description;
    };
}
