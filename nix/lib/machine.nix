# machine.json, version 1, out of one `deploy.nodes.NAME`.
{ lib }:
{
  name,
  node,
  self,
}:
let
  # Store paths as plain text, because the document is read before anything is built.
  text = value: builtins.unsafeDiscardStringContext (toString value);
  derivation = package: {
    drv = text package.drvPath;
    out = text package.outPath;
  };
in
{
  version = 1;
  inherit name;
  inherit (node)
    tags
    system
    hostName
    ssh
    sudo
    build
    push
    timeouts
    units
    checks
    rollback
    beforeActivate
    secrets
    ;
  toplevel = derivation node.toplevel;
  image =
    if node.image == null then
      null
    else
      { inherit (node.image) kind file; } // derivation node.image.package;
  confirm = node.confirm // {
    required = true;
  };
  # Only deploy-rs's flakes have these; the system itself is `toplevel`.
  profiles = [ ];
  agent = lib.mapAttrs (_: derivation) node.agent;
  revision = {
    rev = self.rev or (if self ? dirtyRev then lib.removeSuffix "-dirty" self.dirtyRev else null);
    dirty = !(self ? rev);
    lastModified = self.lastModified or 0;
  };
}
