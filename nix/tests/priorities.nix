# What our modules declare about a unit, a user, a group or a file that NixOS defines too. Each
# value needs a priority that NixOS neither overrides nor conflicts with.
{ inputs, lib, ... }:
let
  byDefault = lib.modules.defaultOverridePriority;
  sets = [
    "systemd.services"
    "systemd.timers"
    "systemd.sockets"
    "systemd.targets"
    "systemd.paths"
    "systemd.slices"
    "users.users"
    "users.groups"
    "environment.etc"
  ];

  # The values in one definition, each with its path and priority.
  valuesOf =
    priority: path: value:
    let
      kind = value._type or null;
    in
    if !lib.isAttrs value || value ? outPath then
      [ { inherit priority path value; } ]
    else if kind == "if" then
      lib.optionals value.condition (valuesOf priority path value.content)
    else if kind == "merge" then
      lib.concatMap (valuesOf priority path) value.contents
    else if kind == "override" then
      valuesOf value.priority path value.content
    else if kind == "order" then
      valuesOf priority path value.content
    else
      lib.concatLists (lib.mapAttrsToList (name: valuesOf priority (path ++ [ name ])) value);

  ownerOf = import ./owners.nix { inherit inputs lib; };

  # Values of a machine by the name of the unit, user, group or file.
  definitionsOf =
    machine: set:
    lib.groupBy (entry: lib.head entry.path) (
      lib.concatMap (
        { file, value }:
        map (
          entry:
          entry
          // {
            owner = ownerOf (toString file);
            file = lib.removePrefix "${inputs.self}/" (toString file);
          }
        ) (valuesOf byDefault [ ] value)
      ) (lib.attrByPath (lib.splitString "." set) null machine.options).definitionsWithLocations
    );

  starts = [
    [ "script" ]
    [
      "serviceConfig"
      "ExecStart"
    ]
  ];

  problem =
    set: name: nixos: entry:
    let
      option = "${set}.\"${name}\".${lib.concatStringsSep "." (lib.tail entry.path)}";
      theirs = map (other: other.priority) (lib.filter (other: other.path == entry.path) nixos);
      lowest = lib.foldl' lib.min 1500 theirs;
      word = if lib.isList entry.value then "list" else "value";
    in
    # A list is merged with NixOS's if both have the same priority.
    if word == "value" && entry.priority == byDefault then
      "${entry.file}: ${option} has no priority, and NixOS defines ${set}.\"${name}\": write lib.mkDefault or lib.mkForce"
    else if theirs != [ ] && lowest < entry.priority then
      "${entry.file}: ${option} is overruled by NixOS's own ${word}"
    else if theirs != [ ] && word == "list" && lowest > entry.priority then
      "${entry.file}: ${option} takes the place of NixOS's own list: give it the same priority"
    else if word == "value" && lowest == entry.priority then
      "${entry.file}: ${option} has the priority of NixOS's own value: one of the two has to yield"
    else
      null;

  problemsOfName =
    set: name: entries:
    let
      by = lib.groupBy (entry: entry.owner) entries;
      own = by.ours or [ ];
      nixos = by.nixos or [ ];
      isOwn = set != "systemd.services" || lib.any (entry: lib.elem (lib.tail entry.path) starts) entries;
    in
    if own == [ ] then
      [ ]
    else if nixos != [ ] then
      lib.filter (found: found != null) (map (problem set name nixos) own)
    else
      lib.optional (!isOwn) "${(lib.head own).file}: ${noFacts "${set}.\"${name}\""}";

  noFacts =
    what:
    "nobody says what NixOS defines for ${what}: read the `config` part of its module in nixpkgs, and state it in the stand-in for nixpkgs as nixos/modules/standin/facts/NAME.nix, whose first line names the file that was read";

  problemsOf =
    machine:
    lib.concatMap (
      set: lib.concatLists (lib.mapAttrsToList (problemsOfName set) (definitionsOf machine set))
    ) sets
    ++ map (unit: noFacts unit) (unknownUnits machine);

  # Units of the contract that are not defined.
  unknownUnits =
    machine:
    let
      inherit (machine.config) systemd;
      isKnown =
        unit:
        let
          kind = "${lib.last (lib.splitString "." unit)}s";
        in
        systemd ? ${kind} && systemd.${kind} ? ${lib.removeSuffix ".${lib.removeSuffix "s" kind}" unit};
    in
    lib.filter (unit: !isKnown unit) (
      lib.concatMap (service: service.units) (lib.attrValues machine.config.homelab.enabledServices)
    );

  inherit (inputs.self.nixosConfigurations) frame1 frame1-vm installer-iso;
  with' = modules: frame1.extendModules { inherit modules; };
  # Each unit of a shipped service has limits, and one restarts for a secret.
  everything = with' [
    {
      homelab.services = lib.mapAttrs (_: service: {
        limits = lib.mkIf (service.units != [ ]) { tasks = 4096; };
      }) frame1.config.homelab.enabledServices
      // {
        holder = {
          noHealthCheckReason = "test";
          noBackupReason = "test";
          secrets.present.restartUnits = [ "grafana.service" ];
        };
      };
      homelab.secrets.directory = lib.mkForce ./secrets;
    }
  ];

  # A definition as if it were in our modules.
  example = "modules/services/example.nix";
  caddy = "${example}: systemd.services.\"caddy\"";
  examples = with' [
    {
      _file = "${inputs.self}/${example}";
      systemd.services.caddy = lib.mkMerge [
        {
          after = [ "local-fs.target" ];
          serviceConfig = {
            Nice = lib.mkForce 5;
            OOMScoreAdjust = 5;
            RestartSec = lib.mkDefault 60;
          };
        }
        (lib.mkIf true { wantedBy = lib.mkForce [ ]; })
      ];
      systemd.services.nobody-knows.serviceConfig.Nice = lib.mkDefault 5;
      homelab.services.mystery = {
        unit = "mystery.service";
        noBackupReason = "test";
      };
    }
  ];
in
{
  "what our modules say of units, users and files is heard beside NixOS's own" = {
    expr = problemsOf everything;
    expected = [ ];
  };
  "in a virtual machine too" = {
    expr = problemsOf frame1-vm;
    expected = [ ];
  };
  "on the installer too" = {
    expr = problemsOf installer-iso;
    expected = [ ];
  };
  "what has no priority, is overruled or takes another's place is found, and a unit that NixOS says nothing of" = {
    expr = problemsOf examples;
    expected = [
      "${caddy}.serviceConfig.OOMScoreAdjust has no priority, and NixOS defines systemd.services.\"caddy\": write lib.mkDefault or lib.mkForce"
      "${caddy}.serviceConfig.RestartSec is overruled by NixOS's own value"
      "${caddy}.wantedBy takes the place of NixOS's own list: give it the same priority"
      "${example}: ${noFacts "systemd.services.\"nobody-knows\""}"
      (noFacts "mystery.service")
    ];
  };
}
