# The lists in /run/nixos: what is still to be started, restarted and reloaded, so that
# the next run goes on where a killed one stopped.
package Lists;
use strict;
use warnings;

my $folder = "/run/nixos";
my $recording = 1;

sub only_show { $recording = 0; return; }

sub read_list {
    my ($name) = @_;
    open(my $file, "<", "$folder/$name") or return ();
    return grep { $_ ne "" } map { chomp; $_ } <$file>;
}

sub read_kind { return read_list("$_[0]-list"); }

sub record {
    my ($kind, $unit) = @_;
    return unless $recording;
    open(my $file, ">>", "$folder/$kind-list") or return;
    print $file "$unit\n";
    return;
}

sub unrecord {
    my ($kind, $unit) = @_;
    return unless $recording;
    my @left = grep { $_ ne $unit } read_kind($kind);
    open(my $file, ">", "$folder/$kind-list") or return;
    print $file "$_\n" for @left;
    return;
}

sub forget {
    my ($kind) = @_;
    unlink "$folder/$kind-list" if $recording;
    return;
}

# What activation asked for, once: the file goes away as it is read.
sub take {
    my ($kind) = @_;
    my @units = read_list("activation-$kind-list");
    unlink "$folder/activation-$kind-list";
    return @units;
}

1;
