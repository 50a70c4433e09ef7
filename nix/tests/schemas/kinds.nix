# The kinds of values that all schemas have.
{ lib }:
{
  text.type = "string";
  number.type = "int";
  yes.type = "bool";
  anything.type = "any";

  # Fields of one kind.
  each = kind: names: lib.genAttrs names (_: kind);
}
