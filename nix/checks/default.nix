{ inputs, pkgs }: { }
