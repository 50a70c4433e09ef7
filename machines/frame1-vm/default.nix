# frame1 as a virtual machine, for Macs with Apple silicon.
{
  imports = [
    ../frame1
    ../frame1/vm.nix
  ];

  nixpkgs.hostPlatform = "aarch64-linux";
}
