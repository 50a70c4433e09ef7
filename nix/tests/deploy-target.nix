# What the deploy target changes on a machine.
{ inputs, lib, ... }:
let
  inherit (inputs.self.nixosConfigurations.frame1) config;
  rules = lib.filter (rule: rule.users == [ "deploy" ]) config.security.sudo.extraRules;
  commands = lib.concatMap (rule: rule.commands) rules;
  unit = config.systemd.services.deploy-agent-boot;
in
{
  "the deploy user may type two commands as root, word for word" = {
    expr = map (command: command.command) commands;
    expected = [
      "/run/current-system/sw/bin/deploy-agent serve"
      "/run/current-system/sw/bin/deploy-agent serve --stdio"
    ];
  };
  "the rule has no pattern, no store path and hands over no environment" = {
    expr = lib.all (
      command:
      !lib.any (word: lib.hasInfix word command.command) [
        "*"
        "?"
        "["
        builtins.storeDir
      ]
      && lib.elem "NOSETENV" command.options
    ) commands;
    expected = true;
  };
  "a key of the deploy user has no terminal and no forwards, whatever options it has already" = {
    expr =
      (inputs.self.nixosConfigurations.frame1.extendModules {
        modules = [
          {
            deploy.agent.authorizedKeys = lib.mkForce [
              "ssh-ed25519 AAAA one"
              "sk-ssh-ed25519@openssh.com AAAA two"
              "ecdsa-sha2-nistp256 AAAA three"
              "from=\"10.0.0.0/8\" ssh-ed25519 AAAA four"
              "restrict,from=\"10.0.0.1\" ssh-ed25519 AAAA five"
            ];
          }
        ];
      }).config.users.users.deploy.openssh.authorizedKeys.keys;
    expected = [
      "restrict ssh-ed25519 AAAA one"
      "restrict sk-ssh-ed25519@openssh.com AAAA two"
      "restrict ecdsa-sha2-nistp256 AAAA three"
      "restrict,from=\"10.0.0.0/8\" ssh-ed25519 AAAA four"
      "restrict,from=\"10.0.0.1\" ssh-ed25519 AAAA five"
    ];
  };
  "sshd reads the one-time keys of builders beside others, unless it is to read none" = {
    expr =
      let
        reads = machine: lib.elem "/run/deploy-agent-keys/%u" machine.config.services.openssh.authorizedKeysFiles;
        frame1 = inputs.self.nixosConfigurations.frame1;
      in
      [
        (reads frame1)
        (reads (frame1.extendModules { modules = [ { deploy.agent.acceptBuilders = false; } ]; }))
        (reads (
          frame1.extendModules {
            modules = [
              {
                deploy.agent.enable = lib.mkForce false;
                deploy.agent.user = lib.mkForce null;
              }
            ];
          }
        ))
      ];
    expected = [
      true
      false
      false
    ];
  };
  "the rule is for root alone" = {
    expr = map (rule: rule.runAs) rules;
    expected = [ "root" ];
  };
  "the deploy user is in no group that may more, and Nix does not trust it" = {
    expr = {
      inherit (config.users.users.deploy) group extraGroups;
      trusted = lib.elem "deploy" config.nix.settings.trusted-users;
    };
    expected = {
      group = "deploy";
      extraGroups = [ ];
      trusted = false;
    };
  };
  "the agent is where the rule says" = {
    expr = lib.elem config.deploy.agent.package.outPath (map (package: package.outPath or "") config.environment.systemPackages);
    expected = true;
  };
  "the boot unit leaves an attempt alone that is under way" = {
    expr = {
      inherit (unit.unitConfig) ConditionPathExists;
      inherit (unit) restartIfChanged wantedBy;
      inherit (unit.serviceConfig) ExecStart Type RemainAfterExit;
    };
    expected = {
      ConditionPathExists = "!/run/deploy-agent/agent";
      restartIfChanged = false;
      wantedBy = [ "multi-user.target" ];
      ExecStart = "/run/current-system/sw/bin/deploy-agent boot";
      Type = "oneshot";
      RemainAfterExit = true;
    };
  };
  "a mount that fails does not stop sshd" = {
    expr = config.systemd.enableEmergencyMode;
    expected = false;
  };
  "frame1 boots by GRUB, and its admin logs in by key and becomes root without a password" = {
    expr = {
      platform = config.nixpkgs.hostPlatform.system;
      grub = config.boot.loader.grub.enable;
      address = config.deploy.ssh.hostname;
      user = config.deploy.ssh.user;
      wheel = lib.elem "wheel" config.users.users.admin.extraGroups;
      asked = config.security.sudo.wheelNeedsPassword;
      keys = config.users.users.admin.openssh.authorizedKeys.keys;
    };
    expected = {
      platform = "x86_64-linux";
      grub = true;
      address = "192.168.2.241";
      user = "admin";
      wheel = true;
      asked = false;
      keys = lib.attrValues (import ../../machines/keys.nix).admins;
    };
  };
  "frame1's disk boots by BIOS and by UEFI, without a word to the firmware" = {
    expr = {
      types = map (part: config.disko.devices.disk.main.content.partitions.${part}.type) [
        "bios"
        "efi"
      ];
      inherit (config.boot.loader.grub) efiSupport efiInstallAsRemovable devices;
      inherit (config.boot.loader.efi) canTouchEfiVariables efiSysMountPoint;
      mounted = config.fileSystems."/boot/efi".fsType;
    };
    expected = {
      types = [
        "EF02"
        "EF00"
      ];
      efiSupport = true;
      efiInstallAsRemovable = true;
      devices = [ config.disko.devices.disk.main.device ];
      canTouchEfiVariables = false;
      efiSysMountPoint = "/boot/efi";
      mounted = "vfat";
    };
  };
  "the disk keeps its name when another one is plugged in" = {
    expr = lib.hasPrefix "/dev/disk/by-id/" config.disko.devices.disk.main.device;
    expected = true;
  };
  "a boot that fails early restarts, and does not wait for somebody at the console" = {
    expr = lib.subtractLists config.boot.kernelParams [
      "panic=10"
      "boot.panic_on_fail"
    ];
    expected = [ ];
  };
  "what makes frame1 a builder: a user whom Nix trusts, its keys, its features" = {
    expr = {
      trusted = lib.elem "builder" config.nix.settings.trusted-users;
      # NixOS defines the same features for every machine.
      features = lib.unique config.nix.settings.system-features;
      inherit (config.users.users.builder.openssh.authorizedKeys) keys;
    };
    expected = {
      trusted = true;
      features = [
        "nixos-test"
        "benchmark"
        "big-parallel"
        "kvm"
      ];
      keys = map (key: ''restrict,command="/run/current-system/sw/bin/nix-daemon --stdio" ${key}'') (lib.attrValues (import ../../machines/keys.nix).buildClients);
    };
  };
  "every shipped service says what it lets others do" = {
    expr = lib.attrNames (
      lib.filterAttrs (_: service: service.access.open == null) config.homelab.enabledServices
    );
    expected = [ ];
  };
  "no backup holds a host key unless one asks for it, and root logs in where it deploys" =
    let
      saved = machine: lib.filter (lib.hasPrefix "/etc/ssh/") (
        lib.concatMap (backup: backup.paths) (lib.attrValues machine.homelab.derived.backups)
      );
      with_ = module: (inputs.self.nixosConfigurations.frame1.extendModules { modules = [ module ]; }).config;
      root = machine: machine.services.openssh.settings.PermitRootLogin;
    in
    {
      expr = {
        saved = saved config;
        asked = saved (with_ { homelab.services.ssh.backupHostKeys = true; }) != [ ];
        root = root config;
        asRoot = root (with_ { deploy.ssh.user = lib.mkForce "root"; });
        unknown = root (with_ { deploy.ssh.user = lib.mkForce null; });
      };
      expected = {
        saved = [ ];
        asked = true;
        root = "no";
        asRoot = "prohibit-password";
        unknown = "prohibit-password";
      };
    };
  "frame1 has no password anywhere" = {
    expr = lib.filterAttrs (
      _: user:
      lib.any (field: user.${field} or null != null) [
        "password"
        "hashedPassword"
        "initialPassword"
        "initialHashedPassword"
      ]
    ) (removeAttrs config.users.users [ "root" ]);
    expected = { };
  };
  "everything but the proxy, SSH and the tailnet listens on loopback" = {
    expr = lib.attrNames (
      lib.filterAttrs (
        _: service:
        (service.port != null && !lib.hasPrefix "127." service.bind)
        || lib.any (entry: !lib.hasPrefix "127." entry.bind) (lib.attrValues service.extraPorts)
      ) config.homelab.enabledServices
    );
    expected = [
      "caddy"
      "ssh"
      "tailscale"
    ];
  };
  "the firewall lets in what was declared, and nothing else" = {
    expr = {
      tcp = lib.unique config.networking.firewall.allowedTCPPorts;
      udp = lib.unique config.networking.firewall.allowedUDPPorts;
    };
    expected = {
      tcp = [
        22
        80
        443
      ];
      udp = [
        443
        41641
      ];
    };
  };
}
