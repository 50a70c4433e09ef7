# A NixOS-shaped system without nixpkgs: raw derivations, built by /bin/sh with the
# programs of the machine that builds. `generation` is one machine's description,
# GENERATION.md says what may be in it; everything has a default.
generation:
let
  inherit (builtins) attrNames attrValues concatStringsSep mapAttrs toFile;

  g = {
    hostName = "frame1";
    number = 1;
    release = "25.11.1";
    platform = "x86_64-linux";
    stateVersion = "25.11";
    etc = { };
    etcFiles = { };
    units = { };
    sshd = "on";
    sshdConfig = "";
    authorizedKeys = { };
    users = { };
    sudoers = "admin ALL=(ALL:ALL) NOPASSWD: ALL\naskadmin ALL=(ALL:ALL) ALL\n";
    fstab = "";
    systemdConf = "";
    activation = { };
    preSwitchChecks = { };
    bootLoaderStep = "";
    kernel = { };
    initrd = { };
    kernelParams = [ "loglevel=4" ];
    initInterface = "systemd 2";
    breaksOff = "";
    ballastMib = 0;
    contents = [ ];
    agent = "";
    systemPath = null;
    writeText = toFile;
  }
  // generation;

  run =
    name: script: env:
    derivation (
      {
        inherit name;
        system = g.platform;
        builder = "/bin/sh";
        args = [ "-eu" script ];
        PATH = "/usr/bin:/bin";
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
      // env
    );

  # "PATH SOURCE" lines: what the builder links into its output.
  lines = files: concatStringsSep "\n" (map (p: "${p} ${files.${p}}") (attrNames files)) + "\n";
  tree = name: files: run name ./link-tree.sh {
    files = lines files;
    passAsFile = [ "files" ];
  };

  safe = builtins.replaceStrings [ "@" "/" " " ] [ "-" "-" "-" ];
  text = name: content: g.writeText (safe name) content;

  # sshd takes the first value of a keyword: those of the generation come first.
  sshdConfig = text "sshd_config" ''
    ${g.sshdConfig}
    Port 22
    AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
    KbdInteractiveAuthentication no
    PasswordAuthentication no
    PermitRootLogin prohibit-password
    PerSourcePenalties no
    Subsystem sftp internal-sftp
    UsePAM yes
  '';

  units = import ./units.nix {
    inherit (g) sshd;
    inherit sshdConfig;
  } // g.units;

  # `@services@` in a unit is the folder of the lab's own programs (./services).
  services = builtins.path { name = "lab-services"; path = ./services; };
  unitText = builtins.replaceStrings [ "@services@" ] [ "${services}" ];
  unitFiles = mapAttrs (name: u: u.link or (text "unit-${name}" (unitText u.text))) units;
  wants = builtins.foldl' (a: name: a // (
    let
      u = units.${name};
      into = kind: targets: builtins.listToAttrs (
        map (t: { name = "${t}.${kind}/${u.instance or name}"; value = "../${name}"; }) targets
      );
    in
    into "wants" (u.wantedBy or [ ]) // into "requires" (u.requiredBy or [ ])
  )) { } (attrNames units);

  systemUnits = tree "system-units" (unitFiles // wants);

  etc = tree "etc" (
    {
      "etc/generation" = text "generation" "${toString g.number}\n";
      "etc/sudoers.d/lab" = text "sudoers" g.sudoers;
      "etc/hostname" = text "hostname" "${g.hostName}\n";
      "etc/fstab" = text "fstab" g.fstab;
      "etc/os-release" = text "os-release" ''
        ID=nixos
        NAME=NixOS
        PRETTY_NAME="NixOS ${g.release} (lab)"
        VERSION_ID="${g.stateVersion}"
      '';
      "etc/ssh/sshd_config" = sshdConfig;
      "etc/systemd/system" = systemUnits;
      "etc/systemd/system.conf" = text "system.conf" "[Manager]\n${g.systemdConf}";
    }
    // builtins.listToAttrs (
      map (user: {
        name = "etc/ssh/authorized_keys.d/${user}";
        value = text "authorized_keys-${user}" (concatStringsSep "\n" g.authorizedKeys.${user} + "\n");
      }) (attrNames g.authorizedKeys)
    )
    // builtins.listToAttrs (
      map (path: { name = "etc/${path}"; value = text path g.etc.${path}; }) (attrNames g.etc)
    )
    // builtins.listToAttrs (
      map (path: { name = "etc/${path}"; value = g.etcFiles.${path}; }) (attrNames g.etcFiles)
    )
  );

  image =
    kind: file: content:
    run kind ./image.sh {
      inherit file;
      content = content.text or "6.12.1";
      copied = content.file or "";
      kib = toString (content.kib or 64);
    };

  scripts = name: snippets: tree name (mapAttrs (n: s: text "${name}-${n}" s) snippets);

  # A path that is in the store already, and comes with the system as its other parts do.
  inStore = p: builtins.appendContext p { ${p}.path = true; };

  # One user a line: name, groups, password hash ("!" for none).
  users = text "users" (
    concatStringsSep "" (
      map (n: "${n}:${concatStringsSep "," (g.users.${n}.groups or [ ])}:${g.users.${n}.hashedPassword or "!"}\n") (attrNames g.users)
    )
  );
in
run "nixos-system-${g.hostName}-${g.release}" ./toplevel.sh {
  inherit etc users;
  inherit (g) hostName release platform initInterface breaksOff;
  kernelParams = concatStringsSep " " g.kernelParams;
  kernelVersion = g.kernel.version or "6.12.1";
  kernel = image "linux-${g.kernel.version or "6.12.1"}" "bzImage" g.kernel;
  initrd = image "initrd-linux-${g.kernel.version or "6.12.1"}" "initrd" g.initrd;
  systemd = run "systemd-257" ./links-to-root.sh { };
  systemPath =
    if g.systemPath == null then
      run "system-path" ./links-to-root.sh { agent = if g.agent == "" then "" else inStore g.agent; }
    else
      g.systemPath;
  activation = scripts "activation" g.activation;
  preSwitchChecks = scripts "pre-switch-checks" g.preSwitchChecks;
  bootLoaderStep = text "boot-loader-step" g.bootLoaderStep;
  ballast = if g.ballastMib == 0 then "" else run "ballast" ./image.sh {
    file = "ballast";
    content = "ballast ${toString g.number}";
    kib = toString (g.ballastMib * 1024);
  };
  contents = concatStringsSep "\n" (map inStore g.contents);
  passAsFile = [ "contents" ];
  switch = builtins.path { name = "switch-to-configuration"; path = ../switch; };
}
