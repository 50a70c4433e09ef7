# From a flake's outputs to machine.json documents, one for each chosen machine.
# Applied by `nix eval --apply`: one evaluation for all of them. Reads this
# project's schema of `deploy.nodes`, deploy-rs's (https://github.com/serokell/deploy-rs,
# README "API"), and plain `nixosConfigurations`. Returns
#   { machines.NAME = machine.json; known = [ NAME ]; warnings = [ TEXT ]; }
argsJson: outputs:
let
  args = builtins.fromJSON argsJson;
  inherit (builtins)
    attrNames
    concatLists
    elem
    filter
    isAttrs
    listToAttrs
    map
    ;

  deploy = outputs.deploy or { };
  nodes = deploy.nodes or { };
  configurations = outputs.nixosConfigurations or { };

  known = attrNames (configurations // nodes);
  # A flake that lists nodes means these by "all machines".
  all = filter (name: !(elem "manual" (nodes.${name}.tags or [ ]))) (
    attrNames (if nodes == { } then configurations else nodes)
  );
  # A word may be `machine.profile`; its candidates come longest first.
  firstKnown = candidates: filter (name: elem name known) candidates;
  chosen =
    if args.candidates == null then
      all
    else
      concatLists (
        map (
          candidates:
          let
            found = firstKnown candidates;
          in
          if found == [ ] then [ ] else [ (builtins.head found) ]
        ) args.candidates
      );

  # deploy-rs merges profile over node over deploy; null falls through.
  firstOf =
    key: default: levels:
    let
      set = filter (level: (level.${key} or null) != null) levels;
    in
    if set == [ ] then default else (builtins.head set).${key};

  words = text: filter (word: builtins.isString word && word != "") (builtins.split " +" text);

  # A package, or (as deploy-rs allows) a string with a derivation's context.
  derivation =
    value:
    if isAttrs value then
      {
        drv = value.drvPath;
        out = value.outPath;
      }
    else
      let
        drvs = attrNames (builtins.getContext value);
      in
      {
        drv = if drvs == [ ] then throw "the path ${value} is not made by this flake" else builtins.head drvs;
        out = value;
      };

  plain = value: builtins.unsafeDiscardStringContext "${value}";
  plainDerivation = value: builtins.mapAttrs (_: plain) (derivation value);

  machine =
    name:
    let
      node = nodes.${name} or { };
      config = configurations.${name}.config or null;
      profiles = node.profiles or { };
      profile = profiles.system or { };
      levels = [
        profile
        node
        deploy
      ];
      level = key: default: firstOf key default levels;
      wanted =
        node.toplevel or profile.path or (
          if config == null then
            throw "machine ${name} has neither a toplevel, nor a profile `system`, nor a nixosConfiguration"
          else
            config.system.build.toplevel
        );
      ownSsh = node.ssh or { };
      user = level "user" "root";
      sudoWords = words (level "sudo" "sudo -u");
      sudoCommand =
        if sudoWords != [ ] && builtins.elemAt sudoWords (builtins.length sudoWords - 1) == "-u" then
          sudoWords ++ [ user ]
        else
          sudoWords;
      age = if config == null then { } else config.age or { };
      names = attrNames profiles;
      confirmTimeout = level "confirmTimeout" null;
      activationTimeout = level "activationTimeout" null;
      agents = node.agent or deploy.agent or { };
    in
    {
      version = 1;
      inherit name;
      tags = node.tags or [ ];
      system =
        node.system or wanted.system or (
          if config == null then throw "machine ${name} does not tell its system" else config.nixpkgs.hostPlatform.system
        );
      toplevel = plainDerivation wanted;
      hostName = node.hostName or (if config == null then null else config.networking.hostName or null);
      ssh = {
        hostname = level "hostname" name;
        user = level "sshUser" null;
        opts = concatLists (map (each: each.sshOpts or [ ]) levels);
      }
      // ownSsh;
      sudo =
        node.sudo or {
          command = sudoCommand;
          ask = level "interactiveSudo" false;
        };
      profiles = map (profileName: {
        name = profileName;
        user = firstOf "user" "root" [
          profiles.${profileName}
          node
          deploy
        ];
        path = (plainDerivation profiles.${profileName}.path).out;
        profilePath = profiles.${profileName}.profilePath or null;
        order = 0;
        script = if profileName == "system" then "nixos" else "custom";
      }) names;
      build = node.build or { where = if level "remoteBuild" false then "target" else "local"; };
      push = {
        substitute = !(level "fastConnection" false);
      }
      // (node.push or { });
      confirm =
        (if confirmTimeout == null then { } else { timeout = confirmTimeout; })
        // (if level "magicRollback" true && level "autoRollback" true then { } else { required = false; })
        // (node.confirm or { });
      timeouts =
        (if activationTimeout == null then { } else { activation = activationTimeout; })
        // (node.timeouts or { });
      units = node.units or { };
      checks = node.checks or [ ];
      rollback = node.rollback or { };
      beforeActivate = node.beforeActivate or [ ];
      secrets = node.secrets or (
        map (
          secretName:
          let
            secret = age.secrets.${secretName};
          in
          {
            inherit (secret) name mode owner group;
            path = plain secret.path;
            file = plain secret.file;
            identityPaths = map plain (age.identityPaths or [ ]);
            ageBin = plain (age.ageBin or "age");
            restartUnits = secret.restartUnits or [ ];
          }
        ) (attrNames (age.secrets or { }))
      );
      agent = builtins.mapAttrs (_: plainDerivation) agents;
    };

  # What an author may write; anything else is probably a slip of the pen.
  levelKeys = [
    "sshUser" "user" "sudo" "interactiveSudo" "sshOpts" "fastConnection" "autoRollback"
    "magicRollback" "confirmTimeout" "activationTimeout" "tempPath" "remoteBuild"
  ];
  deployKeys = levelKeys ++ [ "nodes" "agent" ];
  nodeKeys = levelKeys ++ [
    "hostname" "profilesOrder" "profiles" "tags" "system" "toplevel" "hostName" "ssh" "build"
    "push" "confirm" "timeouts" "units" "checks" "rollback" "beforeActivate" "secrets" "agent"
  ];
  unknown =
    where: keys: set:
    map (key: "${where}.${key} is not an option of deploy; it does nothing") (
      filter (key: !(elem key keys)) (attrNames set)
    );
in
{
  inherit known;
  machines = listToAttrs (
    map (name: {
      inherit name;
      value = machine name;
    }) chosen
  );
  warnings =
    unknown "deploy" deployKeys deploy
    ++ concatLists (map (name: unknown "deploy.nodes.${name}" nodeKeys (nodes.${name} or { })) chosen);
}
