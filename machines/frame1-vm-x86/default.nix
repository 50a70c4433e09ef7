# frame1 as a virtual machine, for Linux.
{
  imports = [
    ../frame1
    ../frame1/vm.nix
  ];

  nixpkgs.hostPlatform = "x86_64-linux";
}
