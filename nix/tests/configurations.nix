# A program that refuses its configuration keeps running with the old one, and its unit looks
# healthy. Only its metrics show which of the two it has, and the deploy checks them.
# nix/tests/real/programs.sh asks Caddy itself. There is no Alloy there, so its output is written
# here.
{ inputs, lib, ... }:
let
  inherit (inputs.self.nixosConfigurations.frame1.config.homelab) derived services;
  metrics = name: value: ''
    # HELP ${name} Whether the last one was taken.
    # TYPE ${name} gauge
    ${name} ${toString value}
    ${name}_timestamp_seconds 1.7e+09
  '';
  check =
    service: lib.findFirst (check: check.name == "${service}.health.configuration") null derived.checks;
  # Like the agent: the text may be anywhere in the answer.
  passes = service: body: lib.hasInfix (toString (check service).kind.contains) body;
  of = service: name: {
    inherit (check service) level;
    asked = "${toString (check service).kind.port}${(check service).kind.path}";
    taken = passes service (metrics name 1);
    refused = passes service (metrics name 0);
    other = passes service (metrics "other_${name}" 1);
  };
  told = port: {
    level = "required";
    asked = "${toString port}/metrics";
    taken = true;
    refused = false;
    other = false;
  };
in
{
  "a configuration that Alloy refused sends the deploy back" = {
    expr = of "alloy" "alloy_config_last_load_successful";
    expected = told services.alloy.port;
  };
  "one that Caddy refused does too" = {
    expr = of "caddy" "caddy_config_last_reload_successful";
    expected = told services.caddy.extraPorts.metrics.port;
  };
}
