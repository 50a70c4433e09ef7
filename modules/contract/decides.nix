# How far a check decides over a deploy, and how long it may fail before it does. Everything that is
# checked has these fields.
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
