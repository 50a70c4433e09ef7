# frame1-vm equals frame1 except for what is listed here.
{ inputs, lib, ... }:
let
  frame1 = inputs.self.nixosConfigurations.frame1.config;

  view = config: {
    services = lib.attrNames config.homelab.enabledServices;
    sites = map (site: site.host) config.homelab.derived.sites;
    urls = lib.unique (map (site: site.url) config.homelab.derived.sites);
    checks = map (check: check.name) config.homelab.derived.checks;
    inherit (config.homelab.derived)
      firewall
      scrapeJobs
      logLabels
      datasources
      ;
    alerts = map (group: group.name) config.homelab.derived.alertGroups;
    backups = lib.mapAttrs (_: backup: backup.paths) config.homelab.derived.backups;
    secrets = lib.attrNames config.homelab.derived.secrets;
    tls = { inherit (config.homelab.tls) mode issuer checkLevel domains; };
    provider = config.homelab.secrets.provider;
    certificates = lib.attrNames config.security.acme.certs;
    ssh = { inherit (config.services.openssh.settings) PasswordAuthentication PermitRootLogin; };
    passwords = lib.attrNames (lib.filterAttrs (_: user: user.password or null != null) config.users.users);
    users = lib.attrNames (lib.filterAttrs (_: user: user.openssh.authorizedKeys.keys or [ ] != [ ]) config.users.users);
    sudo = config.security.sudo.wheelNeedsPassword;
    deploy = {
      inherit (config.deploy) image tags build push timeouts units;
      ssh = removeAttrs config.deploy.ssh [ "opts" ];
    };
    agent = config.deploy.agent.enable;
    emergency = config.systemd.enableEmergencyMode;
    grub = config.boot.loader.grub.enable;
    hostName = config.networking.hostName;
    nameservers = config.networking.nameservers;
    disko = config.disko.enableConfig;
  };

  # The differences by path.
  differences =
    path: a: b:
    if lib.isAttrs a && lib.isAttrs b then
      lib.concatLists (
        map (
          name: differences (path ++ [ name ]) (a.${name} or null) (b.${name} or null)
        ) (lib.unique (lib.attrNames a ++ lib.attrNames b))
      )
    else if a == b then
      [ ]
    else if lib.isList a && lib.isList b then
      [
        {
          name = lib.concatStringsSep "." path;
          value = {
            only = lib.subtractLists b a;
            also = lib.subtractLists a b;
          };
        }
      ]
    else
      [
        {
          name = lib.concatStringsSep "." path;
          value = b;
        }
      ];
  against = config: lib.listToAttrs (differences [ ] (view frame1) (view config));

  changed = only: also: { inherit only also; };
  hosts = [ "grafana.local.kaifer.dev" "local.kaifer.dev" "logs.local.kaifer.dev" "metrics.local.kaifer.dev" ];
  expected = name: {
    # The tailnet is left out,
    services = changed [ "tailscale" ] [ ];
    checks = changed [
      "tailscale.unit.tailscaled.service"
      "tailscale.health.online"
    ] [ ];
    "firewall.udp" = changed [ 41641 ] [ ];
    logLabels = changed [
      {
        service = "tailscale";
        unit = "tailscaled.service";
        dropRegex = null;
      }
    ] [ ];
    alerts = changed [ "tailscale" ] [ ];
    "backups.tailscale" = null;
    # certificates are the proxy's own and secrets are none,
    secrets = changed [
      "dns-api-token"
      "tailscale-auth-key"
    ] [ ];
    "tls.mode" = "internal";
    "tls.issuer" = "Caddy Local Authority";
    "tls.checkLevel" = "required";
    provider = "plain";
    certificates = changed [ "local.kaifer.dev" ] [ ];
    "deploy.units.advisory" = changed [
      "acme-order-renew-*.service"
      "acme-account-*.target"
      "tailscaled-autoconnect.service"
      "tailscaled-set.service"
    ] [ ];
    # sites answer behind the port forward,
    urls = changed (map (host: "https://${host}") hosts) (map (host: "https://${host}:8443") hosts);
    # people log in with a password,
    "ssh.PasswordAuthentication" = true;
    "ssh.PermitRootLogin" = "yes";
    passwords = changed [ ] [
      "admin"
      "root"
    ];
    # it is deployed to only when named,
    "deploy.tags" = changed [ "home" ] [ "manual" ];
    "deploy.ssh.hostname" = "127.0.0.1";
    "deploy.ssh.port" = 2222;
    # it is built as what starts it,
    "deploy.image" = "vm";
    # and it has no disk to boot from.
    grub = false;
    disko = false;
    hostName = name;
    nameservers = changed [ ] [ "1.1.1.1" ];
  };
in
(names: f: lib.listToAttrs (map f names)) [
  "frame1-vm"
  "frame1-vm-x86"
] (name: lib.nameValuePair "${name} differs from frame1 in what is listed and in nothing else" {
  expr = against inputs.self.nixosConfigurations.${name}.config;
  expected = expected name;
})
// {
  "each virtual machine has its platform" = {
    expr = lib.mapAttrs (_: machine: machine.config.nixpkgs.hostPlatform.system) inputs.self.nixosConfigurations;
    expected = {
      frame1 = "x86_64-linux";
      frame1-vm = "aarch64-linux";
      frame1-vm-x86 = "x86_64-linux";
      installer-iso = "x86_64-linux";
    };
  };
  "a virtual machine is reached on three ports of its host, on loopback" = {
    expr = lib.listToAttrs (
      map (forward: {
        name = "${forward.host.address}:${toString forward.host.port}";
        value = forward.guest.port;
      }) inputs.self.nixosConfigurations.frame1-vm.config.virtualisation.forwardPorts
    );
    expected = {
      "127.0.0.1:8443" = 443;
      "127.0.0.1:8080" = 80;
      "127.0.0.1:2222" = 22;
    };
  };
  "a virtual machine boots what its own /boot says, and keeps its store" = {
    expr =
      let
        inherit (inputs.self.nixosConfigurations.frame1-vm) config;
      in
      {
        extlinux = config.boot.loader.generic-extlinux-compatible.enable;
        shared = lib.mapAttrs (_: share: share.target) config.virtualisation.sharedDirectories;
        inherit (config.virtualisation) writableStoreUseTmpfs useNixStoreImage;
        store = lib.getAttrs [ "device" "fsType" ] config.virtualisation.fileSystems."/nix/.ro-store";
        root = config.virtualisation.rootDevice;
        console = lib.filter (lib.hasPrefix "console=") config.boot.kernelParams;
      };
    expected = {
      extlinux = true;
      shared.boot = "/boot";
      writableStoreUseTmpfs = false;
      useNixStoreImage = true;
      store = {
        device = "/dev/disk/by-id/virtio-store";
        fsType = "squashfs";
      };
      root = "/dev/disk/by-id/virtio-root";
      console = [ "console=ttyAMA0" ];
    };
  };
  "deploy vm reads how a virtual machine is started" = {
    expr =
      let
        of =
          name:
          let
            description = builtins.fromJSON (
              builtins.unsafeDiscardStringContext
                inputs.self.nixosConfigurations.${name}.config.system.build.deployVm.description
            );
          in
          removeAttrs description [
            "boot"
            "kernelParams"
            "makeStore"
            "qemuImg"
          ]
          // {
            qemu = baseNameOf description.qemu;
          };
      in
      lib.genAttrs [ "frame1-vm" "frame1-vm-x86" ] of;
    expected =
      let
        with' = arch: {
          version = 1;
          system = "${arch}-linux";
          qemu = "qemu-system-${arch}";
          memory = 4096;
          cores = 4;
          disk = 20480;
          sites = [ "grafana.local.kaifer.dev" "local.kaifer.dev" "logs.local.kaifer.dev" "metrics.local.kaifer.dev" ];
          needsKey = false;
        };
      in
      {
        frame1-vm = with' "aarch64";
        frame1-vm-x86 = with' "x86_64";
      };
  };
  "with a key, agenix's files are decrypted by what qemu shows of it, and by no host key" = {
    expr =
      let
        machine = inputs.self.nixosConfigurations.frame1-vm.extendModules {
          modules = [ { deploy.vm.secrets = "key"; } ];
        };
        inherit (machine) config;
      in
      {
        provider = config.homelab.secrets.provider;
        inherit (config.age) identityPaths;
        # 26.05 has a set, 25.11 a list.
        loaded = (config.boot.initrd.kernelModules.qemu_fw_cfg or null) == true || lib.elem "qemu_fw_cfg" (lib.toList config.boot.initrd.kernelModules);
      };
    expected = {
      provider = "agenix";
      identityPaths = [ "/sys/firmware/qemu_fw_cfg/by_name/opt/deploy/key/raw" ];
      loaded = true;
    };
  };
  "passwords are `nixos`, in virtual machines alone" = {
    expr = lib.mapAttrs (
      _: machine:
      lib.filterAttrs (_: password: password != null) (
        lib.mapAttrs (_: user: user.password or null) machine.config.users.users
      )
    ) inputs.self.nixosConfigurations;
    expected =
      let
        both = {
          admin = "nixos";
          root = "nixos";
        };
      in
      {
        frame1 = { };
        frame1-vm = both;
        frame1-vm-x86 = both;
        installer-iso = { };
      };
  };
  "the installer has the admins' keys and no password" = {
    expr =
      let
        inherit (inputs.self.nixosConfigurations.installer-iso.config) users services;
      in
      {
        keys = users.users.root.openssh.authorizedKeys.keys;
        inherit (services.openssh.settings) PasswordAuthentication PermitRootLogin;
      };
    expected = {
      keys = lib.attrValues (import ../../machines/keys.nix).admins;
      PasswordAuthentication = false;
      PermitRootLogin = "prohibit-password";
    };
  };
  "the installer shows on its screen and by mDNS how it is reached" = {
    expr =
      let
        inherit (inputs.self.nixosConfigurations.installer-iso.config) services systemd;
        unit = systemd.services.deploy-reach;
      in
      {
        loggedIn = services.getty.autologinUser;
        inherit (unit) wantedBy;
        atPrompts = lib.hasSuffix "/etc/issue.d/deploy.issue follow" unit.serviceConfig.ExecStart;
        byMdns = services.avahi.publish.addresses && lib.hasInfix "_ssh._tcp" services.avahi.extraServiceFiles.ssh;
      };
    expected = {
      loggedIn = null;
      wantedBy = [ "multi-user.target" ];
      atPrompts = true;
      byMdns = true;
    };
  };
}
