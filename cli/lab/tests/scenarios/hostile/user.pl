# A user without rights who holds all that he can, and says once of each thing what it is:
# every lock on a file that he can open, every port up to 10000 that is free, every mounted
# folder that he can enter, and a connection to every socket that takes one. What comes later he
# takes when it comes.
#
# Two things he leaves alone, as nothing goes forward without them: Nix's database and the queue
# of the system bus. Scenarios of their own hold those.
use strict;
use Fcntl qw(:flock :DEFAULT);
use Socket;

# As the agent's own processes are called.
$0 = "deploy-agent run";
$| = 1;
my (%held, %shared, @ports);

for my $port (1024 .. 10000) {
  socket(my $socket, PF_INET, SOCK_STREAM, 0) or last;
  bind($socket, sockaddr_in($port, INADDR_ANY)) && listen($socket, 1) or next;
  push @ports, $socket;
}
print "ports ", scalar @ports, "\n";

# Both kinds of locks: flock, and fcntl's, for which reading is enough as well.
sub lock_file {
  my ($file) = @_;
  my ($device, $inode, $mode) = stat $file or return;
  return unless Fcntl::S_ISREG($mode) || Fcntl::S_ISDIR($mode);
  return if $file =~ m{^/nix/var/nix/db/} || $held{"$device $inode"};
  sysopen my $open, $file, O_RDONLY | O_NONBLOCK or return;
  my $all = pack("s! s! x4 q q i x4", F_RDLCK, 0, 0, 0, 0);
  $shared{"$device $inode"} //= $open if fcntl $open, F_SETLK, $all;
  flock $open, LOCK_EX | LOCK_NB or return;
  $held{"$device $inode"} = $open;
  print "lock $file\n";
}

# A mounted folder in which somebody stands cannot be unmounted. The one whose mount is to fail he
# leaves: what cannot be unmounted does not fail.
sub enter_mounts {
  open my $mounts, "<", "/proc/self/mounts" or return;
  for my $line (<$mounts>) {
    my $folder = (split / /, $line)[1];
    next if $folder =~ m{^/(proc|sys|dev|mnt/kept)\b} || $held{$folder};
    opendir my $open, $folder or next;
    $held{$folder} = $open;
    print "folder $folder\n";
  }
}

sub connect_sockets {
  for my $path (glob "/run/*/* /run/*/*/* /nix/var/nix/daemon-socket/*") {
    next if $held{$path} || !-S $path || $path =~ m{^/run/dbus/};
    socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or next;
    fcntl $socket, F_SETFL, O_NONBLOCK;
    connect($socket, sockaddr_un($path)) or next;
    $held{$path} = $socket;
    print "socket $path\n";
  }
}

my $round = 0;
while (1) {
  lock_file($_) for glob "/nix/var/deploy-agent/{,*,*/*} /run/deploy-agent/{,*} /run/nixos/{,*}";
  if ($round++ % 20 == 0) {
    lock_file($_) for glob "/run/lock/* /run/* /etc/* /boot/* /boot/*/* /tmp/* /var/lib/*"
      . " /nix/var/nix/* /nix/var/nix/*/* /nix/store";
    enter_mounts();
    connect_sockets();
    print "ready\n" if $round == 1;
  }
  select undef, undef, undef, 0.05;
}
