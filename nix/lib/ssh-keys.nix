# The public keys of groups, each once.
{ lib }:
keys: groups:
lib.unique (
  lib.concatMap (
    group:
    lib.attrValues (
      keys.${group}
        or (throw "there is no group of keys `${group}`; there are ${lib.concatStringsSep ", " (lib.attrNames keys)}")
    )
  ) groups
)
