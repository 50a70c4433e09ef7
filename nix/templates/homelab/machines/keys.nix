# The public keys of people and machines. Put in your own.
{
  admins = {
    # you = "ssh-ed25519 AAAA…";
  };

  # /etc/ssh/ssh_host_ed25519_key.pub of each machine, which reads its secrets with it.
  machines = {
    # home = "ssh-ed25519 AAAA…";
  };
}
