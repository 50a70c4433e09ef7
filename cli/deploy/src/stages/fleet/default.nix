# What `deploy` evaluates, put together as apart.rs does it.
import ./fleet.nix {
  fields = import ./fields.nix;
  secrets = import ./secrets.nix;
  installation = import ./installation.nix;
}
