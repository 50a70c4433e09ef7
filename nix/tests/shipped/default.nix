# The shipped services, read from their folder and their pages. What tests need to know about a
# service follows from its module and its page.
{ inputs, lib, ... }:
let
  modules = import ../../../modules/services-by-name.nix;
  blocks = import ../blocks.nix { inherit lib; };

  pageOf = name: ../../../docs/services + "/${name}.md";

  # The first code block of a page enables the service. It is evaluated.
  exampleOf =
    name:
    let
      found = blocks.of (pageOf name);
    in
    if found == [ ] then
      throw "docs/services/${name}.md: no lines of code show how it is enabled"
    else
      blocks.module (lib.head found);

  # The machine's settings beside the services: nothing asks outside, and secrets are placeholders.
  ground = {
    homelab = {
      tls.mode = lib.mkDefault "internal";
      secrets.provider = lib.mkDefault "plain";
    };
  };

  # The values that a module and the files of its folder give to NixOS's options, with conditions
  # and priorities.
  definitionsOf =
    name: machine:
    let
      folder = toString modules.${name};
      load =
        file:
        let
          path = if lib.hasSuffix ".nix" (toString file) then file else file + "/default.nix";
          function = import path;
          module = function (
            lib.mapAttrs (argument: _: machine.${argument} or machine._module.args.${argument}) (
              lib.functionArgs function
            )
          );
          own = lib.filter (imported: lib.hasPrefix folder (toString imported)) (module.imports or [ ]);
        in
        [ (module.config or { }) ] ++ lib.concatMap load own;
    in
    map (config: content (without config)) (load modules.${name});

  # Declarations of services are not included.
  without =
    config:
    if config._type or null == "merge" then
      config // { contents = map without config.contents; }
    else if config._type or null == "if" then
      config // { content = without config.content; }
    else
      removeAttrs config [
        "homelab"
        "assertions"
      ];
  content =
    value:
    if value._type or null == "if" then
      (if value.condition then content value.content else [ ])
    else if value._type or null == "merge" then
      map content value.contents
    else if value._type or null == "override" || value._type or null == "order" then
      content value.content
    else if lib.isDerivation value then
      [ ]
    else if lib.isAttrs value then
      map content (lib.attrValues value)
    else if lib.isList value then
      map content value
    else
      [ value ];
in
{
  inherit modules pageOf exampleOf ground;
  names = lib.attrNames modules;

  # Everything that a module gives to NixOS, as words.
  toldBy = name: machine: map toString (lib.filter (value: !lib.isFunction value) (lib.flatten (definitionsOf name machine)));
}
