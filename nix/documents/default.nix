{ inputs, pkgs }: { package = pkgs.writeText "x" "x"; }
