{
  description = "A real NixOS system for a lab host, evaluated and built before";

  # A node with the derivation of its system, as this repository's own modules give one:
  # nothing of NixOS is evaluated.
  outputs = _: { deploy.nodes.frame1 = builtins.fromJSON (builtins.readFile ./frame1.json); };
}
