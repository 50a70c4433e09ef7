# Something that is derived unless it is switched off.
lib: description:
lib.mkOption {
  type = lib.types.bool;
  default = true;
  inherit description;
}
