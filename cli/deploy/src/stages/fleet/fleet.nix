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

  # What Nix's types are called by people who write it.
  kindNames = {
    bool = "true or false";
    int = "a whole number";
    float = "a number with a fraction";
    string = "a string";
    path = "a path";
    list = "a list";
    set = "an attribute set";
    lambda = "a function";
    null = "null";
  };
  # A value of a wrong type is named here, before an operation of Nix's fails on it in the
  # middle of this file: refusal `fields/fast-connection-is-a-number` is one of its tests.
  mustBe =
    where: kinds: value:
    let
      kind = builtins.typeOf value;
    in
    if !(elem kind kinds) then
      throw "${where} is ${kindNames.${kind}}, it must be ${
        builtins.concatStringsSep " or " (map (each: kindNames.${each}) kinds)
      }"
    else if kind == "int" && value < 1 then
      throw "${where} is ${toString value}, it must be 1 at least"
    else
      value;
  # Fields that deploy-rs knows at each level; null is as if it were left out.
  levelKinds = {
    sshUser = [ "string" ];
    user = [ "string" ];
    sudo = [ "string" "set" ];
    interactiveSudo = [ "bool" ];
    sshOpts = [ "list" ];
    fastConnection = [ "bool" ];
    autoRollback = [ "bool" ];
    magicRollback = [ "bool" ];
    confirmTimeout = [ "int" ];
    activationTimeout = [ "int" ];
    tempPath = [ "string" "path" ];
    remoteBuild = [ "bool" ];
  };
  nodeKinds = levelKinds // {
    hostname = [ "string" ];
    profiles = [ "set" ];
    tags = [ "list" ];
    ssh = [ "set" ];
    build = [ "set" ];
    push = [ "set" ];
    confirm = [ "set" ];
    timeouts = [ "set" ];
    units = [ "set" ];
    checks = [ "list" ];
    rollback = [ "set" ];
    beforeActivate = [ "list" ];
    secrets = [ "list" ];
    agent = [ "set" ];
    image = [ "set" ];
  };
  # The set itself, once all its fields are of the right types.
  sound =
    where: kinds: value:
    let
      set = mustBe where [ "set" ] value;
      field = name: set.${name} == null || builtins.seq (mustBe "${where}.${name}" kinds.${name} set.${name}) true;
    in
    builtins.seq (builtins.all field (filter (name: kinds ? ${name}) (attrNames set))) set;

  deploy = sound "deploy" (levelKinds // { nodes = [ "set" ]; agent = [ "set" ]; }) (outputs.deploy or { });
  nodes = builtins.mapAttrs (name: sound "deploy.nodes.${name}" nodeKinds) (deploy.nodes or { });
  configurations = outputs.nixosConfigurations or { };

  known = attrNames (configurations // nodes);
  # A configuration that is no node and makes an ISO image: machines are installed from it.
  isInstaller = name: !(nodes ? ${name}) && (configurations.${name} or { }) ? config.system.build.isoImage;

  # A flake that lists nodes means these by "all machines".
  all = filter (name: !(elem "manual" (nodes.${name}.tags or [ ]))) (
    if nodes == { } then filter (name: !(isInstaller name)) (attrNames configurations) else attrNames nodes
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
    where: value:
    if isAttrs value && value ? drvPath then
      {
        drv = value.drvPath;
        out = value.outPath;
      }
    else
      let
        text = if builtins.isString value then value else throw "${where} must be a derivation";
        drvs = attrNames (builtins.getContext text);
      in
      {
        drv = if drvs == [ ] then throw "${where}: ${text} is not made by this flake" else builtins.head drvs;
        out = text;
      };

  plain = value: builtins.unsafeDiscardStringContext "${value}";
  plainDerivation = where: value: builtins.mapAttrs (_: plain) (derivation where value);

  machine =
    name:
    let
      node = nodes.${name} or { };
      config = configurations.${name}.config or null;
      where = "deploy.nodes.${name}";
      profileKinds = levelKinds // { profilePath = [ "string" "path" ]; };
      profiles = builtins.mapAttrs (
        profileName: sound "${where}.profiles.${profileName}" profileKinds
      ) (node.profiles or { });
      pathOf =
        profileName:
        profiles.${profileName}.path or (throw "${where}.profiles.${profileName} has no `path`");
      profile = profiles.system or { };
      levels = [
        profile
        node
        deploy
      ];
      level = key: default: firstOf key default levels;
      wanted =
        node.toplevel or (
          if profiles ? system then
            pathOf "system"
          else if config == null then
            throw "machine ${name} has neither a toplevel, nor a profile `system`, nor a nixosConfiguration"
          else
            config.system.build.toplevel
        );
      ownSsh = node.ssh or { };
      user = level "user" "root";
      sudoWords = words (
        let
          sudo = level "sudo" "sudo -u";
        in
        if isAttrs sudo then "" else sudo
      );
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
      toplevel = plainDerivation (
        if node ? toplevel then "${where}.toplevel" else "${where}.profiles.system.path"
      ) wanted;
      image =
        if (node.image or null) != null then
          removeAttrs node.image [ "package" ]
          // plainDerivation "${where}.image.package" (
            node.image.package or (throw "${where}.image has no `package`")
          )
        else if isInstaller name then
          { kind = "iso"; file = config.image.filePath or null; }
          // plainDerivation "${name}.config.system.build.isoImage" config.system.build.isoImage
        else
          null;
      hostName = node.hostName or (if config == null then null else config.networking.hostName or null);
      ssh = {
        hostname = level "hostname" name;
        user = level "sshUser" null;
        opts = concatLists (map (each: each.sshOpts or [ ]) levels);
      }
      // ownSsh;
      sudo =
        # deploy-rs's `sudo` is a string, and one of the words above.
        if isAttrs (node.sudo or null) then
          node.sudo
        else
          {
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
        path = (plainDerivation "${where}.profiles.${profileName}.path" (pathOf profileName)).out;
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
      agent = builtins.mapAttrs (system: plainDerivation "${where}.agent.${system}") agents;
    };

  # What an author may write; anything else is probably a slip of the pen.
  deployKeys = attrNames levelKinds ++ [ "nodes" "agent" ];
  nodeKeys = attrNames levelKinds ++ [
    "hostname" "profilesOrder" "profiles" "tags" "system" "toplevel" "hostName" "ssh" "build"
    "push" "confirm" "timeouts" "units" "checks" "rollback" "beforeActivate" "secrets" "agent" "image"
  ];
  unknown =
    set: known: value:
    map (field: { inherit set field known; }) (filter (key: !(elem key known)) (attrNames value));
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
