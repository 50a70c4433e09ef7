# The documents of this flake's machines have the shape that `deploy` reads: every field of the
# golden file, no others, and values of the same types.
{ inputs, lib, ... }:
let
  full = lib.importJSON ../../cli/wire/golden/machine/full.json;
  documentOf =
    name: node:
    inputs.self.lib.machineJson {
      inherit name node;
      inherit (inputs) self;
    };
  documents = lib.mapAttrs documentOf inputs.self.deploy.nodes;

  # Maps whose names the author chooses. Their values have one shape, and the names do not count.
  # Only some machines have an image, which is compared below.
  open = [
    "rollback.services"
    "agent"
    "image"
  ];

  # The types by path. A list has the shapes of its elements, and `null` matches everything.
  shapeOf =
    path: value:
    if lib.isAttrs value then
      if lib.elem path open then
        { ${path} = "map"; }
      else
        lib.concatMapAttrs (name: shapeOf (if path == "" then name else "${path}.${name}")) value
    else if lib.isList value then
      { ${path} = "list"; }
      // lib.foldl' (
        all: element: all // shapeOf "${path}[${(element.kind or { }).type or ""}]" element
      ) { } (lib.filter lib.isAttrs value)
    else
      { ${path} = builtins.typeOf value; };

  # The program's own expression on the same outputs. It adds the revision later, accepts
  # deploy-rs's profiles too, and omits defaults.
  readNames =
    names:
    import ../../cli/deploy/src/stages/fleet (
      builtins.toJSON {
        candidates = if names == null then null else map lib.singleton names;
        among = null;
        what = "machines";
      }
    );
  read = readNames (lib.attrNames inputs.self.deploy.nodes) {
    inherit (inputs.self) deploy nixosConfigurations;
  };
  installer =
    (readNames [ "installer-iso" ] { inherit (inputs.self) deploy nixosConfigurations; })
    .machines.installer-iso;
  # Null counts as left out.
  comparable = document: lib.filterAttrsRecursive (_: value: value != null) (comparableFields document // {
    checks = map (lib.filterAttrsRecursive (_: value: value != null)) document.checks;
  });
  comparableFields =
    document:
    removeAttrs document [
      "revision"
      "profiles"
    ]
    // {
      confirm = removeAttrs document.confirm [ "required" ];
    };

  wanted = shapeOf "" full;
  compare =
    document:
    let
      found = shapeOf "" document;
      fits = path: found.${path} == "null" || wanted.${path} == "null" || found.${path} == wanted.${path};
    in
    {
      unknown = lib.attrNames (removeAttrs found (lib.attrNames wanted));
      # A kind of check or a list that this machine does not use is not a missing field.
      lacking = lib.filter (path: !lib.hasInfix "[" path) (
        lib.attrNames (removeAttrs wanted (lib.attrNames found))
      );
      wrongType = lib.filter (path: wanted ? ${path} && !fits path) (lib.attrNames found);
    };
  good = {
    unknown = [ ];
    lacking = [ ];
    wrongType = [ ];
  };

  # A machine with every kind of check, a secret and a command, so that every list of the golden
  # file has an element.
  everything = documentOf "all" (
    inputs.self.lib.deployNode (
      inputs.self.nixosConfigurations.frame1.extendModules {
        modules = [
          {
            homelab.services.all = {
              unit = "sshd.service";
              health.port.kind.tcp.port = 22;
              health.page.kind.http.port = 80;
              health.shown.kind.certificate = {
                port = 443;
                sni = "a";
                issuer = "b";
              };
              health.key.kind.file = {
                path = "/var/lib/all/key";
                mode = "0400";
                owner = "root";
                group = "root";
              };
              health.run.kind.command.argv = [ "/bin/true" ];
              noBackupReason = "test";
              beforeActivate.argv = [ "/bin/true" ];
              secrets.users.generator = {
                kind = "htpasswd";
                user = "joe";
                password = "login";
              };
            };
          }
        ];
      }
    )
  );
  kinds = document: lib.unique (lib.sort lib.lessThan (map (check: check.kind.type) document.checks));
in
lib.mapAttrs' (
  name: document:
  lib.nameValuePair "machine.json of ${name} has the golden file's fields and no other" {
    expr = compare document;
    expected = good;
  }
) documents
// {
  "every kind of check of the golden file can be declared" = {
    expr = {
      shape = compare everything;
      kinds = kinds everything;
      lists = lib.all (list: everything.${list} != [ ]) [
        "checks"
        "beforeActivate"
        "secrets"
      ];
    };
    expected = {
      shape = good;
      kinds = kinds full;
      lists = true;
    };
  };
  "every field of an element is there too" = {
    expr = lib.attrNames (
      removeAttrs (lib.filterAttrs (path: _: lib.hasInfix "[" path && !lib.hasPrefix "profiles[" path) wanted) (
        lib.attrNames (shapeOf "" everything)
      )
    );
    expected = [ ];
  };
  "what is in the closure is the same, and nothing else" = {
    expr = builtins.fromJSON (
      builtins.unsafeDiscardStringContext
        inputs.self.nixosConfigurations.frame1.config.environment.etc."deploy-agent/manifest.json".text
    );
    expected = {
      inherit (documents.frame1)
        version
        checks
        beforeActivate
        secrets
        ;
      rollback = { inherit (documents.frame1.rollback) services; };
      units = { inherit (documents.frame1.units) advisory deciding; };
    };
  };
  "names of checks are unique" = {
    expr = lib.mapAttrs (
      _: document: lib.length document.checks - lib.length (lib.unique (map (check: check.name) document.checks))
    ) documents;
    expected = lib.mapAttrs (_: _: 0) documents;
  };
  "a node has deploy-rs's names too" = {
    expr = {
      inherit (inputs.self.deploy.nodes.frame1) hostname sshUser user;
      profile = inputs.self.deploy.nodes.frame1.profiles.system.user;
    };
    expected = {
      hostname = "192.168.2.241";
      sshUser = "admin";
      user = "root";
      profile = "root";
    };
  };
  "what `deploy` itself makes of the nodes is the same, and it warns of nothing" = {
    expr = {
      machines = lib.mapAttrs (_: comparable) read.machines;
      inherit (read) unknown odd elsewhere;
    };
    expected = {
      machines = lib.mapAttrs (_: comparable) documents;
      unknown = [ ];
      odd = { };
      elsewhere = [ ];
    };
  };
  "an image has the golden file's fields" = {
    expr = map (document: shapeOf "" document.image) [
      documents.frame1-vm
      installer
    ];
    expected = map (_: shapeOf "" full.image) [
      1
      2
    ];
  };
  "in place of a system, a virtual machine's start script and the installer's image are built" = {
    expr = lib.mapAttrs (_: document: lib.mapNullable (image: "${image.kind}: ${image.file}") document.image) (
      documents // { inherit installer; }
    );
    expected = {
      frame1 = null;
      frame1-vm = "vm: bin/run-frame1-vm-vm";
      frame1-vm-x86 = "vm: bin/run-frame1-vm-x86-vm";
      installer = "iso: iso/installer-iso.iso";
    };
  };
  "the image that is built is what deploy vm starts, and NixOS's own installer" = {
    expr = {
      vm = documents.frame1-vm.image.drv;
      iso = installer.image.drv;
    };
    expected =
      let
        build = name: inputs.self.nixosConfigurations.${name}.config.system.build;
        text = builtins.unsafeDiscardStringContext;
      in
      {
        vm = text (build "frame1-vm").deployVm.drvPath;
        iso = text (build "installer-iso").isoImage.drvPath;
      };
  };
  "without nodes all machines are meant, and no image" = {
    expr = lib.attrNames (readNames null { inherit (inputs.self) nixosConfigurations; }).machines;
    expected = [
      "frame1"
      "frame1-vm"
      "frame1-vm-x86"
    ];
  };
  "nothing to install from is deployed to" = {
    expr = lib.attrNames inputs.self.deploy.nodes;
    expected = [
      "frame1"
      "frame1-vm"
      "frame1-vm-x86"
    ];
  };
}
