# All of it. Importing it changes nothing until something is enabled.
{
  _class = "nixos";

  imports = [ ./base.nix ] ++ builtins.attrValues (import ./services-by-name.nix);
}
