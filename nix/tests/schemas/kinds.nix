# The kinds of values that all schemas use.
{ lib }:
{
  text.type = "string";
  number.type = "int";
  yes.type = "bool";
  anything.type = "any";

  # Fields of the same kind.
  each = kind: names: lib.genAttrs names (_: kind);
}
