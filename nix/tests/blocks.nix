# The blocks of code of a page, each evaluated as a module: what is shown works.
{ lib }:
let
  isCode = lib.hasPrefix "    ";
  # Lines, with an empty one between code as a part of it.
  collect =
    lines:
    lib.foldl' (
      state: line:
      if isCode line then
        state
        // {
          open = state.open ++ lib.optionals (state.open != [ ]) state.blank ++ [ line ];
          blank = [ ];
        }
      else if line == "" then
        state // { blank = state.blank ++ [ line ]; }
      else
        {
          done = state.done ++ lib.optional (state.open != [ ]) state.open;
          open = [ ];
          blank = [ ];
        }
    ) { done = [ ]; open = [ ]; blank = [ ]; } (lines ++ [ "end" ]);
  importText = text: import (builtins.toFile "example.nix" text);
in
rec {
  # of PAGE: the blocks as text.
  of = page: map lib.concatLines (collect (lib.splitString "\n" (builtins.readFile page))).done;

  # A block is a module, or what stands between its braces.
  module =
    block:
    if lib.hasInfix ", ... }: {\n" block then importText block else importText "{ ... }: {\n${block}}\n";

  # The one that begins with START.
  find =
    page: start:
    module (
      lib.findFirst (block: lib.hasPrefix start (lib.removePrefix "    " block)) (throw "${baseNameOf page}: no code begins with ${start}") (of page)
    );
}
