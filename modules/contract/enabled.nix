# Something that is derived unless one says no.
lib: description:
lib.mkOption {
  type = lib.types.bool;
  default = true;
  inherit description;
}
