# The fields of `deploy` and its nodes: this project's and deploy-rs's
# (https://github.com/serokell/deploy-rs, README "API"), what type each has, and whether a value has it.
let
  inherit (builtins)
    attrNames
    elem
    filter
    isAttrs
    map
    ;

  # The names of Nix's types for people who write Nix.
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
  # Reports a value of a wrong type by its field. Otherwise an operation in the middle of fleet.nix
  # would fail on it: refusal `fields/fast-connection-is-a-number` is one of the tests.
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
  # The fields that deploy-rs knows at each level. Null counts as left out.
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
    profilesOrder = [ "list" ];
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
  # The fields of this project's own schema that have subfields.
  ownFields = [
    "ssh" "build" "push" "confirm" "timeouts" "units" "checks" "rollback" "beforeActivate"
    "secrets" "agent" "image"
  ];
  # The fields of a node that may be of any type here.
  untyped = [ "system" "hostName" "toplevel" ];
  # Checks the types of the fields, and removes those that are null. Typed modules write null for
  # what their author left out.
  sound =
    where: kinds: value:
    let
      set = mustBe where [ "set" ] value;
      typed = filter (name: kinds ? ${name}) (attrNames set);
      isNull = name: set.${name} == null;
      field = name: isNull name || builtins.seq (mustBe "${where}.${name}" kinds.${name} set.${name}) true;
      others = filter (name: set ? ${name}) untyped;
    in
    builtins.seq (builtins.all field typed) (removeAttrs set (filter isNull (typed ++ others)));

  # Removes fields that are null, at any depth. Packages stay as they are.
  clean =
    value:
    if builtins.isList value then
      map clean value
    else if isAttrs value && !(value ? drvPath) then
      builtins.mapAttrs (_: clean) (removeAttrs value (filter (name: value.${name} == null) (attrNames value)))
    else
      value;

  # The fields that exist.
  deployKeys = attrNames levelKinds ++ [ "nodes" "agent" ];
  nodeKeys = attrNames nodeKinds ++ untyped;
in
{
  inherit
    levelKinds
    nodeKinds
    ownFields
    deployKeys
    nodeKeys
    sound
    clean
    ;
}
