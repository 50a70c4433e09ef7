# Unit files: their keys, and what a difference between two of them asks for.
package UnitFile;
use strict;
use warnings;

# Keys of [Unit] whose change restarts nothing.
my %ignored = map { $_ => 1 } qw(
    X-Reload-Triggers Description Documentation OnFailure OnSuccess OnFailureJobMode
    IgnoreOnIsolate StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate
    CollectMode SourcePath
);

# { section => { key => [values] } } of a unit with its drop-ins; [Install] left out.
sub parse {
    my ($path) = @_;
    my %unit;
    for my $file ($path, sort glob("\Q$path\E.d/*.conf")) {
        open(my $in, "<", $file) or next;
        my $section = "";
        my $held = "";
        while (my $line = <$in>) {
            chomp $line;
            next if $line =~ /^\s*(?:[#;].*)?$/;
            $line = $held . $line;
            if ($line =~ s/\\$/ /) { $held = $line; next; }
            $held = "";
            if ($line =~ /^\s*\[(.*)\]\s*$/) { $section = $1; next; }
            next if $section eq "Install" || $line !~ /^\s*([^=]+?)\s*=\s*(.*?)\s*$/;
            if ($2 eq "") { delete $unit{$section}{$1}; }
            else { push @{ $unit{$section}{$1} }, $2; }
        }
    }
    return \%unit;
}

sub is_true {
    my ($unit, $section, $key, $default) = @_;
    my $values = $unit->{$section}{$key} or return $default;
    return $values->[-1] =~ /^(?:1|yes|true|on)$/ ? 1 : 0;
}

# "same", "reload" or "restart".
sub difference {
    my ($old, $new) = @_;
    my $answer = "same";
    my %sections = map { $_ => 1 } keys %$old, keys %$new;
    for my $section (keys %sections) {
        my %keys = map { $_ => 1 } keys %{ $old->{$section} // {} }, keys %{ $new->{$section} // {} };
        for my $key (keys %keys) {
            my ($was, $is) = map { $_->{$section}{$key} } $old, $new;
            next if $was && $is && join("\0", @$was) eq join("\0", @$is);
            if ($section eq "Unit" && $ignored{$key}) {
                $answer = "reload" if $key eq "X-Reload-Triggers" && $is;
            } elsif (($section eq "Mount" && $key eq "Options" && $was && $is)
                || ($section eq "Service" && $key eq "ExecReload")) {
                $answer = "reload" if $is;
            } else {
                return "restart";
            }
        }
    }
    return $answer;
}

1;
