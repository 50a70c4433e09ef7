# Every policy fires with its message, and none fires without a reason.
{ lib, refused, ... }:
let
  messagesOf =
    modules:
    lib.sort lib.lessThan (
      map (entry: entry.message) (lib.filter (entry: !entry.assertion) (refused (modules ++ [ { homelab.proxy.isProvided = lib.mkDefault true; } ])).assertions)
    );
  ok = {
    noBackupReason = "test";
    noHealthCheckReason = "test";
  };
  service = name: fields: { homelab.services.${name} = ok // fields; };
  one = modules: message: {
    expr = messagesOf modules;
    expected = lib.toList message;
  };
  helpers = { inherit service one; };
in
import ./services.nix helpers
// import ./routes.nix helpers
// import ./access.nix helpers
// import ./units.nix helpers
// import ./machine.nix (helpers // { inherit lib refused; })
// {
  # A policy without a test here makes the numbers differ.
  "every policy has its test" = {
    expr = lib.foldl' (
      sum: file: sum + lib.length (lib.splitString "message = " (builtins.readFile file)) - 1
    ) 0 (
      lib.filter (file: lib.hasSuffix ".nix" (toString file)) (lib.filesystem.listFilesRecursive ../../../modules)
    );
    expected = 54;
  };
}
