# Paths of routes: `/a/*` is `/a` and everything below it, `/a*` everything that begins with it,
# `/a` only that path.
lib:
let
  withoutStar = lib.removeSuffix "*";
  base = path: lib.removeSuffix "/" (withoutStar path);
  isBelow = lib.hasSuffix "/*";
  isOpen = lib.hasSuffix "*";

  # Of two paths with the same base, the narrower one comes first.
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

  # The patterns for the proxy's matcher, whose `/a/*` does not match `/a`.
  patterns = path: lib.optional (isBelow path) (base path) ++ [ path ];

  # The longest path comes first, so that the first match is the right one.
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

  # The one of `paths` that applies to a request, or null.
  find = asked: paths: lib.findFirst (takes (lib.toLower (lib.head (lib.splitString "?" asked)))) null (sort paths);

  # A path to which this one of `paths` applies.
  probe =
    path: paths:
    let
      plain = map withoutStar (patterns path);
      asked = plain ++ lib.optionals (isOpen path) (map (start: "${start}-") plain);
    in
    lib.findFirst (asked: find asked paths == path) (lib.head asked) asked;

  # Lower case only, because the proxy treats `/A` as `/a`. `/*` is excluded, because it is the site
  # itself.
  isValid = path: builtins.match "/([a-z0-9._~-][a-z0-9._~/-]*[*]?)?" path != null;
}
