# Paths of routes: `/a/*` is `/a` and all below it, `/a*` all that begins so, `/a` that
# path alone.
lib:
let
  withoutStar = lib.removeSuffix "*";
  base = path: lib.removeSuffix "/" (withoutStar path);
  isBelow = lib.hasSuffix "/*";
  isOpen = lib.hasSuffix "*";

  # Of two with one base, the narrower is first.
  width =
    path:
    if isBelow path then
      1
    else if isOpen path then
      2
    else
      0;
in
rec {
  inherit base;

  # As the proxy's matcher wants them: its `/a/*` does not take `/a`.
  patterns = path: lib.optional (isBelow path) (base path) ++ [ path ];

  # The longest first, so that the first that fits is the one that is meant.
  sort = lib.sort (
    a: b:
    let
      lengths = lib.stringLength (base a) - lib.stringLength (base b);
    in
    lengths > 0 || (lengths == 0 && (width a < width b || (width a == width b && a < b)))
  );

  takes =
    asked: path:
    lib.any (
      pattern: if isOpen pattern then lib.hasPrefix (withoutStar pattern) asked else asked == pattern
    ) (patterns path);

  # The one of `paths` that counts for a request, or null.
  find = asked: paths: lib.findFirst (takes (lib.toLower (lib.head (lib.splitString "?" asked)))) null (sort paths);

  # A path that this one of `paths` counts for.
  probe =
    path: paths:
    let
      plain = map withoutStar (patterns path);
      asked = plain ++ lib.optionals (isOpen path) (map (start: "${start}-") plain);
    in
    lib.findFirst (asked: find asked paths == path) (lib.head asked) asked;

  # Lower case, as the proxy takes `/A` for `/a`; not `/*`, which is the site itself.
  isValid = path: builtins.match "/([a-z0-9._~-][a-z0-9._~/-]*[*]?)?" path != null;
}
