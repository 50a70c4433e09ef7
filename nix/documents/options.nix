# The option reference, as Markdown: pages by their names in docs/.
{ inputs, lib }:
let
  modules = import ../../modules/services-by-name.nix;
  evaluated = lib.evalModules {
    class = "nixos";
    specialArgs = { inherit inputs; };
    modules = [
      inputs.self.nixosModules.default
      {
        # Only this flake's options are listed, so its settings of NixOS's options are not checked.
        _module.check = false;
        _module.args.pkgs = inputs.nixpkgs.legacyPackages.x86_64-linux;
      }
    ];
  };
  listed = lib.filter (option: option.visible && !option.internal) (
    lib.optionAttrSetToDocList { inherit (evaluated.options) homelab deploy; }
  );
  below = path: lib.filter (option: lib.take (lib.length path) option.loc == path) listed;

  # The options of every service, by the placeholder for its name.
  contract = lib.filter (option: lib.length option.loc > 3 && lib.hasPrefix "<" (lib.elemAt option.loc 2)) (
    below [
      "homelab"
      "services"
    ]
  );
  isOwn =
    option: !lib.any (field: lib.drop 3 field.loc == lib.drop 3 option.loc) contract && lib.length option.loc > 3;
  ownOf =
    name:
    lib.filter isOwn (
      below [
        "homelab"
        "services"
        name
      ]
    );

  # The file of an option inside another option's type is the file of that option.
  fileOf =
    option:
    let
      files = lib.filter (lib.hasPrefix "${inputs.self}/") (map toString option.declarations);
      above = lib.filter (other: other.loc == lib.init option.loc) listed;
      file = lib.removePrefix "${inputs.self}/" (lib.head files);
    in
    if files != [ ] then
      if lib.hasSuffix ".nix" file then file else "${file}/default.nix"
    else if above != [ ] then
      fileOf (lib.head above)
    else if lib.length option.loc > 1 then
      fileOf (option // { loc = lib.init option.loc; declarations = [ ]; })
    else
      null;

  code = text: if lib.hasInfix "\n" text then "\n\n```nix\n${text}\n```" else " `${text}`";
  shown =
    value:
    let
      text = lib.removeSuffix "\n" (value.text or value);
    in
    if value._type or null == "literalMD" then " ${text}" else code text;
  field = label: value: lib.optionalString (value != null) "\n\n${label}:${shown value}";
  declared =
    option:
    let
      file = fileOf option;
    in
    lib.optionalString (file != null) "\n\nDeclared in: [${file}](../../${file})";

  entry =
    option:
    "## `${option.name}`\n\n"
    + lib.removeSuffix "\n" (option.description.text or option.description)
    + field "Type" option.type
    + field "Default" (option.default or null)
    + field "Example" (option.example or null)
    + declared option
    + "\n";
  page =
    title: text: options:
    ''
      # ${title}

      Generated from the modules by `nix run .#docs`; a check says when it is out of date.

      ${text}
    ''
    + lib.concatMapStrings (option: "\n${entry option}") (lib.sort (a: b: a.name < b.name) options);

  # The values that a service's module sets, which are defaults.
  frame1 = inputs.self.nixosConfigurations.frame1.config.homelab.services;
  said =
    name:
    let
      service = frame1.${name};
      ports =
        lib.optional (service.port != null) "${service.bind}:${toString service.port}"
        ++ lib.mapAttrsToList (
          extra: port: "${port.bind}:${toString port.port}${lib.optionalString (port.protocol == "udp") "/udp"} (`extraPorts.${extra}`)"
        ) service.extraPorts;
      codes = map (word: "`${word}`");
      row = label: words: lib.optionalString (words != [ ]) "| ${label} | ${lib.concatStringsSep ", " words} |\n";
    in
    "| | |\n| --- | --- |\n"
    + row "what it is for" [ service.description ]
    + row "listens on" ports
    + row "units" (codes service.units)
    + row "checks" (codes (map (check: "health.${check}") (lib.attrNames service.health)))
    + row "metrics" (codes (map (metrics: "metrics.${metrics}") (lib.attrNames service.metrics)))
    + row "alerts" (codes (lib.attrNames service.alerts))
    + row "dashboards" (codes (lib.attrNames service.dashboards))
    + row "secrets" (codes (lib.attrNames service.secrets));

  servicePage =
    name:
    page "Options of ${frame1.${name}.title}" ''
      What it is: [services/${name}.md](../services/${name}.md). It is off until `enable` is set.
      `homelab.services.${name}` has the
      [fields of every service](service.md) and those below. What its module says of them can be
      said otherwise, without `mkForce`:

      ${lib.removeSuffix "\n" (said name)}'' (ownOf name);

  pages = {
    "deploy.md" = page "Options of the machine" "`deploy`: how `deploy` reaches the machine, and what it does there." (
      below [ "deploy" ]
    );
    "homelab.md" = page "Options of the homelab" "`homelab`, but for its services: proxy, certificates, secrets, several machines." (
      lib.filter (option: lib.elemAt option.loc 1 != "services") (below [ "homelab" ])
    );
    "service.md" =
      page "Fields of a service" "`homelab.services.NAME`: what every service can say, shipped or not."
        contract;
  }
  // lib.mapAttrs' (name: _: lib.nameValuePair "${name}.md" (servicePage name)) modules;

  count = options: toString (lib.length options);
  index = ''
    # Options

    Generated from the modules by `nix run .#docs`; a check says when it is out of date.

    | Page | Options | What |
    | --- | --- | --- |
    | [deploy](options/deploy.md) | ${count (below [ "deploy" ])} | how `deploy` reaches the machine, and what it does there |
    | [homelab](options/homelab.md) | ${
      count (lib.filter (option: lib.elemAt option.loc 1 != "services") (below [ "homelab" ]))
    } | proxy, certificates, secrets, several machines |
    | [homelab.services.NAME](options/service.md) | ${count contract} | what every service can say, shipped or not |
  ''
  + lib.concatStrings (
    lib.mapAttrsToList (
      name: _:
      "| [homelab.services.${name}](options/${name}.md) | ${count (ownOf name)} | ${frame1.${name}.description} |\n"
    ) modules
  );
in
{ "options.md" = index; } // lib.mapAttrs' (name: lib.nameValuePair "options/${name}") pages
