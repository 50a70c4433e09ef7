# One stub for each check of a manifest, and nothing else of a service: the unit that a
# `unit` check names, and for each other check a unit `check-NAME.service` that answers
# that check alone. A port that several checks share has one listener (`listen`), which
# knows what the stubs registered and goes when the last of them is stopped.
#
# `faults` is { CHECK = FAULT; }, FAULT one of
#   stopped  the stub is not started
#   wrong    it is, and fails, or answers something else
# `real` and `realPorts` are what every lab host has of its own.
{
  lib,
  pkgs,
  checks,
  faults,
  real,
  realPorts,
}:
let
  unknown = lib.subtractLists (map (check: check.name) checks) (lib.attrNames faults);
  fault = check: faults.${check.name} or "none";
  safe = lib.replaceStrings [ "/" " " "@" ":" ] [ "-" "-" "-" "-" ];
  unitOf = check: "check-${safe check.name}.service";
  programs = "${./programs}";

  isUnit = check: check.kind.type == "unit";
  units = lib.filter (check: isUnit check && !lib.elem check.kind.unit real) checks;
  onPorts = lib.filter (check: check.kind ? port && !lib.elem check.kind.port realPorts) checks;
  bin = "/run/current-system/sw/bin/";
  commands = lib.filter (check: check.kind.type == "command" && lib.hasPrefix bin (lib.head check.kind.argv)) checks;
  stubbed = units ++ onPorts ++ commands;

  # A condition that does not hold: systemd does not start the unit, and nothing fails.
  condition = check: lib.optionalAttrs (fault check == "stopped") { ConditionPathExists = "!/"; };

  unitStub = check: {
    wantedBy = [ "multi-user.target" ];
    unit = condition check;
    service.ExecStart = if fault check == "wrong" then "/bin/sh -c 'exit 1'" else "/bin/sleep infinity";
  };

  # In force while the unit is active: a link to what the stub is to answer.
  registered = check: folder: answer: {
    wantedBy = [ "multi-user.target" ];
    unit = condition check;
    service = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = [
        "/bin/mkdir -p /run/stubs/${folder}"
        "/bin/ln -sfn ${answer} /run/stubs/${folder}/${safe check.name}.json"
      ];
      ExecStop = "/bin/rm -f /run/stubs/${folder}/${safe check.name}.json";
    };
  };
  answer = check: more: pkgs.writeText "answer" (builtins.toJSON (check.kind // { fault = fault check; } // more));

  listener = kind: "listen-${safe "${kind.address}-${toString kind.port}"}.service";
  portStub =
    check:
    let
      inherit (check) kind;
      stub = registered check "${kind.address}-${toString kind.port}" (
        answer check (lib.optionalAttrs (kind.type == "certificate") { files = "${certificate check}"; })
      );
    in
    stub
    // {
      unit =
        stub.unit
        // {
          Requires = listener kind;
          After = listener kind;
        };
    };
  listenStub = kind: {
    wantedBy = [ ];
    unit.StopWhenUnneeded = true;
    service.ExecStart = "${programs}/listen ${kind.address} ${toString kind.port}";
  };

  # A certificate for the name, by an authority of the name that the check expects.
  certificate =
    check:
    pkgs.runCommandLocal "certificate" {
      issuer = if fault check == "wrong" then "Another Authority" else check.kind.issuer;
      name = "certificate-of-${safe check.kind.sni}";
      inherit (check.kind) sni;
    } ''. ${programs}/certificate'';

  commandStub = check: registered check "commands" (answer check { });
in
if unknown != [ ] then
  throw "faults.json: the manifest has no check ${toString unknown}"
else
  {
    answer = programs;
    programs = map (check: lib.removePrefix bin (lib.head check.kind.argv)) commands;
    # What a check needs that has no stub is there already, and is the host's own.
    checks = map (check: check.name) stubbed;
    units =
      lib.listToAttrs (
        map (check: lib.nameValuePair check.kind.unit (unitStub check)) units
        ++ map (check: lib.nameValuePair (unitOf check) (portStub check)) onPorts
        ++ map (check: lib.nameValuePair (unitOf check) (commandStub check)) commands
        ++ map (check: lib.nameValuePair (listener check.kind) (listenStub check.kind)) onPorts
      );
  }
