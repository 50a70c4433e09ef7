# nixosModules. Paths, so that messages name files and a module that is imported
# twice counts once.
{
  default = ./all.nix;
  deploy = ./deploy;
}
