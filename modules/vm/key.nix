# How a virtual machine gets its secrets: none (`plain`), or agenix's, decrypted with the key that
# `deploy vm --key FILE` gives it. qemu shows that file to the guest while it runs; nothing is copied.
# Another machine's host key is never needed, and never there.
{
  config,
  lib,
  options,
  ...
}:
let
  withKey = config.deploy.vm.secrets == "key";
in
{
  options.deploy.vm.secrets = lib.mkOption {
    type = lib.types.enum [
      "plain"
      "key"
    ];
    default = "plain";
    description = "Where secrets come from: `plain` makes stand-ins that need no key, `key` decrypts agenix's files with the key of `deploy vm --key FILE`.";
  };

  config = lib.mkMerge [
    (lib.optionalAttrs (options ? homelab) {
      homelab.secrets.provider = if withKey then "agenix" else "plain";
    })
    (lib.optionalAttrs (options ? age) {
      age.identityPaths = lib.mkIf withKey (
        lib.mkForce [ "/sys/firmware/qemu_fw_cfg/by_name/opt/deploy/key/raw" ]
      );
    })
    # Secrets are decrypted before udev would load it.
    { boot.initrd.kernelModules = lib.mkIf withKey [ "qemu_fw_cfg" ]; }
  ];
}
