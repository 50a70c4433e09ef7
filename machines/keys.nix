# The public keys of people and machines, for logins, the installer, and the readers of secrets. The
# keys here are examples without private halves; replace them.
{
  admins = {
    admin = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV";
  };

  # The keys that may build on frame1: the root user of each Mac.
  buildClients = {
    mac = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmsSt1Tzt05/N8eZL3h1y9bk4fLlirY0Dt6TqoiVFGL";
  };

  # Host keys, /etc/ssh/ssh_host_ed25519_key.pub of each machine.
  machines = {
    frame1 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIxQkufXqy5uEje9WU9igU6s80jhYsTqTAbn/9GvdTwA";
  };
}
