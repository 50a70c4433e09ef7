# Evaluation tests. A file here returns tests by name, each with the actual and the expected value.
# They build only a note, on the system that checks, so that a Mac runs them without a Linux
# builder.
{ inputs, pkgs }:
let
  inherit (inputs.nixpkgs) lib;

  # A name that no module can know, because it follows from the sources.
  demo = "demo-${builtins.substring 0 8 (builtins.hashString "sha256" "${inputs.self}")}";
  evaluating = import ./evaluate.nix { inherit inputs lib; };
  arguments = {
    inherit lib demo;
    inherit (evaluating) evaluate refused smallest plainSystem;
    inputs = inputs // {
      self = inputs.self // {
        nixosConfigurations = lib.mapAttrs (_: evaluating.whole) inputs.self.nixosConfigurations;
      };
    };
  };

  files = {
    contract = ./contract.nix;
    removal = ./removal.nix;
    sites = ./sites.nix;
    certificates = ./certificates.nix;
    configurations = ./configurations.nix;
    loopback = ./loopback.nix;
    modules = ./modules.nix;
    status = ./status.nix;
    examples = ./examples.nix;
    shipped = ./shipped/tests.nix;
    state-directory = ./state-directory.nix;
    policy = ./policy;
    secrets = ./secrets.nix;
    vm-difference = ./vm-difference.nix;
    deploy-target = ./deploy-target.nix;
    golden = ./golden.nix;
    install = ./install.nix;
    queries = ./queries.nix;
    schemas = ./schemas.nix;
    labels = ./labels.nix;
    names = ./names.nix;
    priorities = ./priorities.nix;
    shallow = ./shallow.nix;
    overrides = ./overrides.nix;
    deciding = ./deciding.nix;
    alerts = ./alerts;
    packages = ./packages.nix;
    fleet = ./fleet.nix;
    several = ./several.nix;
    documents = ./documents.nix;
  };

  resultsOf =
    file:
    lib.mapAttrs (
      _: test:
      if test.expr == test.expected then
        "passed"
      else
        ''
          is:        ${builtins.toJSON test.expr}
          should be: ${builtins.toJSON test.expected}
        ''
    ) (import file ({ inherit pkgs; } // arguments));

  checkOf =
    name: file:
    let
      results = lib.mapAttrs (_: builtins.unsafeDiscardStringContext) (resultsOf file);
      failed = lib.filterAttrs (_: result: result != "passed") results;
      lines =
        if failed == { } then
          [ "real: ${toString (lib.length (lib.attrNames results))} tests, evaluated by Nix" ]
          ++ map (test: "passed: ${test}") (lib.attrNames results)
        else
          lib.mapAttrsToList (test: result: "${test}\n${result}") failed;
    in
    pkgs.runCommand "evaluation-${name}"
      {
        report = lib.concatLines lines;
        passthru = { inherit results; };
        passAsFile = [ "report" ];
      }
      (
        if failed == { } then
          ''tee "$out" < "$reportPath"''
        else
          ''
            cat "$reportPath" >&2
            exit 1
          ''
      );
in
lib.mapAttrs' (name: file: lib.nameValuePair "evaluation-${name}" (checkOf name file)) files
