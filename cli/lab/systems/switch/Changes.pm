# What a switch has to stop, start, restart, reload and leave alone: the units that are
# active now, compared between /etc/systemd/system and the new system's; and fstab.
package Changes;
use strict;
use warnings;
use Cwd qw(abs_path);
use Bus;
use Lists;
use UnitFile;

my $now = "/etc/systemd/system";

sub link_of { return abs_path($_[0]) // "/unknown"; }

sub collect {
    my ($toplevel, $active) = @_;
    my $self = bless {
        active => $active, new => "$toplevel/etc/systemd/system", hidden => {}, stop => {}, skip => {},
        map { my $kind = $_; $kind => { map { $_ => 1 } Lists::read_kind($kind) } } qw(start restart reload),
    };
    $self->compare($_) for sort keys %$active;
    $self->compare_file_systems("/etc/fstab", "$toplevel/etc/fstab");
    return $self;
}

sub all { my ($self, $kind) = @_; return sort keys %{ $self->{$kind} }; }
sub shown { my ($self, $kind) = @_; return grep { !$self->{hidden}{$_} } $self->all($kind); }

sub mark {
    my ($self, $kind, $unit) = @_;
    $self->{$kind}{$unit} = 1;
    Lists::record($kind, $unit) if $kind =~ /^(?:start|restart|reload)$/;
    return;
}

sub unmark_reload {
    my ($self, $unit) = @_;
    Lists::unrecord("reload", $unit) if delete $self->{reload}{$unit};
    return;
}

# The file that defines UNIT below FOLDER: its own, or its template's.
sub file_of {
    my ($folder, $unit) = @_;
    return "$folder/$unit" if -e "$folder/$unit" || $unit !~ /^(.*)@[^.]*\.(.*)$/;
    return "$folder/$1\@.$2";
}

sub compare {
    my ($self, $unit) = @_;
    my $old_file = file_of($now, $unit);
    return unless -e $old_file && $self->{active}{$unit}[0] =~ /^(?:active|activating)$/;
    my $new_file = file_of($self->{new}, $unit);
    my $old = UnitFile::parse($old_file);
    if (!-e $new_file || link_of($new_file) eq "/dev/null") {
        $self->mark("stop", $unit) if UnitFile::is_true($old, "Unit", "X-StopOnRemoval", 1);
        return;
    }
    my $new = UnitFile::parse($new_file);
    return $self->target($unit, $new) if $unit =~ /\.target$/;
    my $difference = UnitFile::difference($old, $new);
    if ($difference eq "restart") {
        $self->changed($unit, $new, "stop", "start");
    } elsif ($difference eq "reload" && !$self->{restart}{$unit}) {
        $self->mark("reload", $unit);
    }
    return;
}

# Every active target is started again: that is what starts the units it newly wants, and
# those it wants that have failed or that somebody stopped.
sub target {
    my ($self, $unit, $new) = @_;
    if ($unit !~ /^(?:suspend|hibernate|hybrid-sleep)\.target$/ && may_start($new)) {
        $self->mark("start", $unit);
        $self->{hidden}{$unit} = 1;
    }
    $self->mark("stop", $unit) if UnitFile::is_true($new, "Unit", "X-StopOnReconfiguration", 0);
    return;
}

sub may_start {
    my ($unit) = @_;
    return !UnitFile::is_true($unit, "Unit", "RefuseManualStart", 0)
        && !UnitFile::is_true($unit, "Unit", "X-OnlyManualStart", 0);
}

# What a changed unit needs. Once the units of the plan are stopped, what would be a stop
# and a start is a restart: $stop and $start are then both "restart".
sub changed {
    my ($self, $unit, $new, $stop, $start) = @_;
    return if $unit =~ /\.(?:path|slice|socket)$/ || $unit =~ /^dbus(?:-broker)?\.service$/;
    return $self->mark($unit =~ /^(?:-|nix)\.mount$/ ? "reload" : "restart", $unit) if $unit =~ /\.mount$/;
    if (UnitFile::is_true($new, "Service", "X-ReloadIfChanged", 0)
        && !$self->{restart}{$unit} && !$self->{stop}{$unit}) {
        return $self->mark("reload", $unit);
    }
    if (!UnitFile::is_true($new, "Service", "X-RestartIfChanged", 1)
        || UnitFile::is_true($new, "Unit", "RefuseManualStop", 0)
        || UnitFile::is_true($new, "Unit", "X-OnlyManualStart", 0)) {
        return $self->mark("skip", $unit);
    }
    $self->unmark_reload($unit);
    if ($unit !~ /\.service$/ || !UnitFile::is_true($new, "Service", "X-StopIfChanged", 1)) {
        return $self->mark("restart", $unit);
    }
    $self->mark($stop, $unit);
    return $self->sockets($unit, $new, $stop, $start) ? undef : $self->mark($start, $unit);
}

# A socket-activated service is stopped with its sockets, and only they are started.
sub sockets {
    my ($self, $unit, $new, $stop, $start) = @_;
    my @sockets = map { split } @{ $new->{Service}{Sockets} // [] };
    (my $base = $unit) =~ s/(?:@[^.]*)?\.service$//;
    @sockets = ("$base.socket") unless @sockets;
    my $activated = 0;
    for my $socket (@sockets) {
        if ($self->{active}{$socket}) {
            $self->mark($stop, $socket);
            next unless -e "$self->{new}/$socket";
            $self->mark($start, $socket);
            $activated = 1;
        } elsif (-e "$self->{new}/$socket") {
            $activated = 1;
        }
    }
    return $activated;
}

# Restarts and reloads that the activation script asked for by its own lists.
sub requests_of_activation {
    my ($self) = @_;
    for my $unit (Lists::take("restart")) {
        if ($self->{active}{$unit}) {
            $self->changed($unit, UnitFile::parse(file_of($self->{new}, $unit)), "restart", "restart");
        } else {
            $self->mark("start", $unit);
        }
    }
    for my $unit (Lists::take("reload")) {
        $self->mark("reload", $unit) if $self->{active}{$unit} && !$self->{restart}{$unit} && !$self->{stop}{$unit};
    }
    return;
}

sub start_instead_of_reloading_the_dead {
    my ($self) = @_;
    for my $unit ($self->all("reload")) {
        next if Bus::is_active($unit);
        my $file = "$self->{new}/$unit";
        $self->mark("start", $unit) if -e $file && may_start(UnitFile::parse($file));
        $self->unmark_reload($unit);
    }
    return;
}

sub compare_file_systems {
    my ($self, @files) = @_;
    my ($old, $new) = map { parse_fstab($_) } @files;
    for my $mount (sort keys %$old) {
        my ($was, $is) = ($old->{$mount}, $new->{$mount});
        my $unit = unit_of($mount);
        my $fixed = $mount eq "/" || $mount eq "/nix";
        if (!$is) {
            $self->mark("stop", $unit);
        } elsif ($was->[0] ne $is->[0] || $was->[1] ne $is->[1]) {
            $self->mark(!$fixed ? "restart" : $was->[2] ne $is->[2] ? "reload" : "skip", $unit);
        } elsif ($was->[2] ne $is->[2]) {
            $self->mark("reload", $unit);
        }
    }
    return;
}

# Mount point => [device, type, options]; swap left out.
sub parse_fstab {
    my ($path) = @_;
    my %systems;
    open(my $file, "<", $path) or return \%systems;
    while (my $line = <$file>) {
        my ($device, $mount, $type, $options) = split(" ", $line);
        next if $line =~ /#/ || !defined $type || $type eq "swap";
        $systems{$mount} = [ $device, $type, $options // "" ];
    }
    return \%systems;
}

sub unit_of {
    my ($mount) = @_;
    open(my $out, "-|", "systemd-escape", "--suffix=mount", "--path", $mount) or die "systemd-escape: $!\n";
    my $unit = <$out>;
    chomp $unit;
    return $unit;
}

1;
