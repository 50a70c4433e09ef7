# The code blocks of a page. Each is evaluated as a module, so that what the page shows works.
{ lib }:
let
  isCode = lib.hasPrefix "    ";
  # Collects lines. An empty line between code belongs to the block.
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

  # A block is a module, or the contents of its braces.
  module =
    block:
    if lib.hasInfix ", ... }: {\n" block then importText block else importText "{ ... }: {\n${block}}\n";

  # The block that begins with START.
  find =
    page: start:
    module (
      lib.findFirst (block: lib.hasPrefix start (lib.removePrefix "    " block)) (throw "${baseNameOf page}: no code begins with ${start}") (of page)
    );
}
