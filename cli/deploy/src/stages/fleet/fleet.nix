# Turns a flake's outputs into machine.json documents, one for each selected machine.
# `nix eval --apply` evaluates all of them at once: the files beside this one are its first argument,
# because there is no file to import there. Reads this project's schema of
# `deploy.nodes`, deploy-rs's (https://github.com/serokell/deploy-rs, README "API"), and plain
# `nixosConfigurations`. Takes
#   {
#     candidates = [ [ NAME ] ] or null;     possible meanings of each word; null: all machines
#     among = [ NAME ] or null;              only these of them
#     what = "machines", "secrets", "install" or "names";
#   }
# and returns { known, names = [ NAME ] }, the selected machines, or
#   { known, failed, pure; secrets.NAME = [ secret ]; }, what each selected machine declares, or
#   { known, failed, pure; install.NAME = { … }; }, what each wants of a computer, or
#   {
#     machines.NAME = machine.json;          each selected machine that can be deployed
#     failed = [ NAME ];                     machines that threw, if several are selected
#     odd.NAME = { system | nothing };       each selected node that cannot be deployed: its
#                                            platform, or that it has no system and no profiles
#     known = [ NAME ];
#     unknown = [ { set, field, known } ];   fields that nothing reads
#     foreign.TOOL = [ NAME ];               machines with settings of another tool
#     elsewhere = [ OUTPUT ];                outputs with machines of other tools
#     pure = BOOL;                           whether this evaluation read only the flake
#   }
{
  fields,
  secrets,
  installation,
}:
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
  inherit (fields)
    levelKinds
    nodeKinds
    ownFields
    deployKeys
    nodeKeys
    sound
    clean
    ;

  deploy = sound "deploy" (levelKinds // { nodes = [ "set" ]; agent = [ "set" ]; }) (outputs.deploy or { });
  nodes = builtins.mapAttrs (
    name: node:
    let
      own = sound "deploy.nodes.${name}" nodeKinds node;
      structured = filter (field: own ? ${field}) ownFields;
    in
    own // listToAttrs (map (field: { name = field; value = clean own.${field}; }) structured)
  ) (deploy.nodes or { });
  configurations = outputs.nixosConfigurations or { };

  known = attrNames (configurations // nodes);
  # An installer: a configuration that is not a node and has an ISO image.
  isInstaller = name: !(nodes ? ${name}) && (configurations.${name} or { }) ? config.system.build.isoImage;

  # "All machines" of a flake with nodes are its nodes.
  listed = attrNames (if nodes == { } then configurations else nodes);
  isOneOfAll =
    name: if nodes == { } then !(isInstaller name) else !(elem "manual" (nodes.${name}.tags or [ ]));
  # A word may be `machine.profile`. The longest candidate comes first.
  firstKnown = candidates: filter (name: elem name known) candidates;
  chosen = filter (name: args.among == null || elem name args.among) (
    if args.candidates == null then
      listed
    else
      concatLists (
        map (
          candidates:
          let
            found = firstKnown candidates;
          in
          if found == [ ] then [ ] else [ (builtins.head found) ]
        ) args.candidates
      )
  );

  # deploy-rs takes a value from the profile, else from the node, else from `deploy`. Null does not
  # count.
  firstOf =
    key: default: levels:
    let
      set = filter (level: (level.${key} or null) != null) levels;
    in
    if set == [ ] then default else (builtins.head set).${key};

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

  profileKinds = levelKinds // { profilePath = [ "string" "path" ]; };
  profilesOf =
    name:
    let
      all = nodes.${name}.profiles or { };
      given = removeAttrs all (filter (each: all.${each} == null) (attrNames all));
    in
    builtins.mapAttrs (each: sound "deploy.nodes.${name}.profiles.${each}" profileKinds) given;

  # The profiles besides the system: those in `profilesOrder`, then the others by name.
  othersOf =
    name:
    let
      given = filter (each: each != "system") (attrNames (profilesOf name));
      unique = builtins.foldl' (all: each: if elem each all then all else all ++ [ each ]) [ ];
      ordered = (nodes.${name} or { }).profilesOrder or [ ];
    in
    unique (filter (each: elem each given) ordered ++ given);
  pathOf =
    name: profileName:
    (profilesOf name).${profileName}.path
      or (throw "deploy.nodes.${name}.profiles.${profileName} has no `path`");

  # The platform, or null if the field `system` is something else.
  platform =
    value:
    if builtins.isString value && builtins.match "[a-z0-9_]+-[a-z0-9]+" value != null then value else null;
  # The platform that a configuration runs on. A derivation's `system` is the platform that builds
  # it, which differs for a cross-compiled system:
  # `a-cross-compiled-system-is-for-what-it-runs-on` proves it.
  hostPlatform =
    name:
    let
      configuration = configurations.${name} or { };
      read = value: let tried = builtins.tryEval value; in if tried.success then platform tried.value else null;
      ofPackages = read (configuration.pkgs.stdenv.hostPlatform.system or null);
      ofOption = read (configuration.config.nixpkgs.hostPlatform.system or null);
    in
    if ofPackages != null then ofPackages else ofOption;

  # The wanted system of a machine, or null if its system stays. A node that has only other
  # profiles must not get a system.
  wantedOf =
    name:
    let
      node = nodes.${name} or { };
      profiles = profilesOf name;
    in
    if node ? toplevel then
      node.toplevel
    else if profiles ? system then
      pathOf name "system"
    else if profiles == { } && configurations ? ${name}.config then
      configurations.${name}.config.system.build.toplevel
    else
      null;

  systemOf =
    name: wanted:
    let
      own = platform (nodes.${name}.system or null);
      ofBuild = wanted.system or null;
      candidates = filter (value: value != null) (
        if (nodes.${name} or { }) ? toplevel then
          [ own (hostPlatform name) ofBuild ]
        else
          [ (hostPlatform name) own ofBuild ]
      );
    in
    if candidates == [ ] then throw "machine ${name} does not tell its system" else builtins.head candidates;

  isDarwin = system: builtins.isString system && builtins.match ".*-darwin" system != null;
  # The owner of a profile. Without `user`, deploy-rs takes the login user.
  userOf =
    name: profileName:
    let
      levels = [
        (profilesOf name).${profileName}
        (nodes.${name} or { })
        deploy
      ];
    in
    firstOf "user" (if profileName == "system" then "root" else firstOf "sshUser" "" levels) levels;
  # The package to read a machine's platform from if nothing else has it.
  anyOf =
    name:
    let
      wanted = wantedOf name;
    in
    if wanted == null then pathOf name (builtins.head (othersOf name)) else wanted;
  # Why a node is not a NixOS machine, or null if it is one.
  oddOf =
    name:
    if wantedOf name == null && profilesOf name == { } then
      { nothing = null; }
    else if isDarwin (systemOf name (anyOf name)) then
      { system = systemOf name (anyOf name); }
    else
      null;

  machine =
    name:
    let
      node = nodes.${name} or { };
      config = configurations.${name}.config or null;
      where = "deploy.nodes.${name}";
      profiles = profilesOf name;
      others = othersOf name;
      wanted = wantedOf name;
      # One login serves all profiles, with the settings of the system or else of the first profile.
      profile =
        profiles.system or (if wanted == null then profiles.${builtins.head others} else { });
      levels = [
        profile
        node
        deploy
      ];
      level = key: default: firstOf key default levels;
      ownSsh = node.ssh or { };
      # The login becomes root, whatever users own the profiles.
      user = if wanted == null then "root" else level "user" "root";
      # One text. `deploy` splits it like --sudo, so that quotes mean the same in both.
      sudoLine =
        let
          sudo = level "sudo" "sudo -u";
        in
        if isAttrs sudo then
          ""
        else if builtins.match "(.*[[:space:]])?-u[[:space:]]*" sudo != null then
          "${sudo} ${user}"
        else
          sudo;
      age = if config == null then { } else config.age or { };
      confirmTimeout = level "confirmTimeout" null;
      activationTimeout = level "activationTimeout" null;
      agents = node.agent or deploy.agent or { };
    in
    {
      version = 1;
      inherit name;
      tags = node.tags or [ ];
      system = systemOf name (anyOf name);
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
            command = sudoLine;
            ask = level "interactiveSudo" false;
          };
      profiles =
        map (profileName: {
          name = profileName;
          user = userOf name profileName;
          path = (plainDerivation "${where}.profiles.${profileName}.path" (pathOf name profileName)).out;
          profilePath = profiles.${profileName}.profilePath or null;
          order = 0;
          script = "nixos";
        }) (filter (each: each == "system") (attrNames profiles))
        ++ builtins.genList (
          index:
          let
            profileName = builtins.elemAt others index;
            package = plainDerivation "${where}.profiles.${profileName}.path" (pathOf name profileName);
            place = profiles.${profileName}.profilePath or null;
          in
          {
            name = profileName;
            user = userOf name profileName;
            path = package.out;
            inherit (package) drv;
            profilePath = if place == null then null else toString place;
            order = index + 1;
            script = "custom";
          }
        ) (builtins.length others);
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
    }
    // (
      if wanted == null then
        { }
      else
        {
          toplevel = plainDerivation (
            if node ? toplevel then "${where}.toplevel" else "${where}.profiles.system.path"
          ) wanted;
        }
    );

  secretsOf = secrets { inherit configurations; };
  installOf = installation { inherit configurations plain plainDerivation; };

  # A field that does not exist is probably misspelled.
  unknown =
    set: known: value:
    map (field: { inherit set field known; }) (filter (key: !(elem key known)) (attrNames value));

  # The parts of one machine, or null if "all machines" does not include it.
  partOf =
    name:
    let
      odd = oddOf name;
      isPlain = odd == null && !(nodes ? ${name});
    in
    if args.candidates == null && !(isOneOfAll name) then
      null
    else
      {
        inherit name odd;
        machine = if odd == null then machine name else null;
        unknown = unknown "deploy.nodes.${name}" nodeKeys (nodes.${name} or { });
        # Settings of other tools, for machines without a node.
        colmena = isPlain && configurations.${name}.config ? deployment.targetHost;
        nixinate = isPlain && configurations.${name} ? _module.args.nixinate;
      };
  # A machine that throws stops only itself. `toJSON` evaluates the whole part inside `tryEval`; it
  # takes a package's path and does not look into the package. If there is only one machine, its own
  # error is wanted: `a-machine-that-throws-stops-only-itself` is the test of both.
  tryEach = partOf: map (
    name:
    let
      part = partOf name;
    in
    if builtins.length chosen < 2 then
      { inherit name; success = true; value = part; }
    else
      { inherit name; } // builtins.tryEval (builtins.seq (builtins.toJSON part) part)
  ) chosen;
  succeeded = filter (each: each.success);
  failures = each: map (each: each.name) (filter (each: !each.success) each);
  tried = tryEach partOf;
  parts = filter (part: part != null) (map (each: each.value) (succeeded tried));
  sane = filter (part: part.odd == null) parts;
  namesOf = map (part: part.name);
  triedSecrets = tryEach secretsOf;
  triedInstall = tryEach installOf;
  # Pure evaluation removes the first of these, and no evaluation should have the other two.
  pure = !(builtins ? currentSystem || builtins ? exec || builtins ? importNative);
in
if args.what == "names" then
  { inherit known; names = chosen; }
else if args.what == "secrets" then
  {
    inherit known pure;
    secrets = listToAttrs (succeeded triedSecrets);
    failed = failures triedSecrets;
  }
else if args.what == "install" then
  {
    inherit known pure;
    install = listToAttrs (succeeded triedInstall);
    failed = failures triedInstall;
  }
else
{
  inherit known;
  foreign = {
    colmena = namesOf (filter (part: part.colmena) parts);
    nixinate = namesOf (filter (part: part.nixinate) parts);
  };
  machines = listToAttrs (map (part: { inherit (part) name; value = part.machine; }) sane);
  odd = listToAttrs (
    map (part: { inherit (part) name; value = part.odd; }) (filter (part: part.odd != null) parts)
  );
  failed = failures tried;
  unknown = unknown "deploy" deployKeys deploy ++ concatLists (map (part: part.unknown) parts);
  elsewhere = filter (name: outputs ? ${name}) [
    "colmenaHive" "colmena" "darwinConfigurations" "homeConfigurations" "systemConfigs"
  ];
  inherit pure;
}
