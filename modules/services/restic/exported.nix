# Shell lines that export the time of a success, for the node exporter.
{ lib }:
{
  textfileDirectory,
  file,
  metric,
  labels ? "",
}:
lib.optionalString (textfileDirectory != null) ''
  file=${textfileDirectory}/${file}.prom
  printf '%s%s %s\n' ${metric} "${labels}" "$(date +%s)" > "$file.new"
  mv "$file.new" "$file"
''
