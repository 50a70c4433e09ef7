# Services as unit files: NixOS's nixos/lib/systemd-lib.nix, as far as it is asked for here.
{ lib }:
let
  values = value: if lib.isList value then value else [ value ];
  word = value: if lib.isBool value then lib.boolToString value else toString value;
  section =
    name: keys:
    lib.optionalString (keys != { }) (
      "[${name}]\n"
      + lib.concatStrings (
        lib.concatLists (lib.mapAttrsToList (key: value: map (each: "${key}=${word each}\n") (values value)) keys)
      )
    );
  list = name: names: lib.optionalAttrs (names != [ ]) { ${name} = toString names; };
  text = unit: service: section "Unit" unit + section "Service" service;
in
{
  # A unit of `stub`'s [Unit] and [Service] alone.
  plain = stub: {
    inherit (stub) wantedBy;
    text = text stub.unit stub.service;
  };

  # What the configuration says about a service, with a stub's lines above it.
  service = service: stub: {
    wantedBy = stub.wantedBy or service.wantedBy;
    text =
      text
        (
          list "After" service.after
          // list "Requires" service.requires
          // list "Wants" service.wants
          // service.unitConfig
          // stub.unit or { }
        )
        (
          service.serviceConfig
          // lib.optionalAttrs (!service.restartIfChanged) { X-RestartIfChanged = false; }
          // lib.optionalAttrs (!service.stopIfChanged) { X-StopIfChanged = false; }
          // stub.service or { }
        );
  };
}
