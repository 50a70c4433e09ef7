# The conversation with systemd. Everything goes over the system bus, as in NixOS: when
# dbus is gone the switch ends where it is, with 1.
package Bus;
use strict;
use warnings;
use JSON::PP qw(decode_json);
use Say;

my @manager = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");

sub call {
    my (@arguments) = @_;
    open(my $out, "-|", "busctl", "--system", "--json=short", "call", @manager, @arguments) or lost();
    local $/ = undef;
    my $answer = <$out>;
    close($out) or lost();
    return decode_json($answer)->{data};
}

sub lost {
    Say::line("Error: Failed to process dbus messages");
    exit 1;
}

# Units that are not inactive, or have a job: name => [active state, sub state].
sub units {
    my %units;
    for my $unit (@{ call("ListUnitsByPatterns", "asas", 0, 0)->[0] }) {
        my ($name, undef, undef, $active, $sub, $following, undef, $job) = @$unit;
        next if $following ne "" || ($active eq "inactive" && $job == 0);
        $units{$name} = [ $active, $sub ];
    }
    return \%units;
}

sub is_active {
    my ($unit) = @_;
    my $units = call("ListUnitsByNames", "as", 1, $unit)->[0];
    return @$units && $units->[0][3] =~ /^(?:active|activating)$/;
}

# One systemctl command for the whole manager; fails like the bus does.
sub manager {
    my ($verb) = @_;
    call("GetUnit", "s", "init.scope") if $verb ne "daemon-reload";
    system("systemctl", $verb) == 0 or lost();
    return;
}

# Enqueues one job a unit and waits for all of them, without any limit. The jobs belong
# to PID 1: they go on when this process is killed. False when one failed.
sub job {
    my ($verb, @units) = @_;
    return 1 unless @units;
    call("GetUnit", "s", "init.scope");
    return system("systemctl", $verb, "--", sort @units) == 0;
}

# Waits until systemd has been still for 250 ms, then: (new units, failed units).
sub settled {
    my ($before) = @_;
    select(undef, undef, undef, 0.25);
    my $after = units();
    my (@new, @failed);
    for my $unit (keys %$after) {
        my ($active, $sub) = @{ $after->{$unit} };
        if ($active eq "failed" || ($sub eq "auto-restart" && exit_of($unit) ne "0")) {
            push @failed, $unit;
        } elsif (!$before->{$unit} && $unit !~ /\.scope$/) {
            push @new, $unit;
        }
    }
    return ([ sort @new ], [ sort @failed ]);
}

sub exit_of {
    my ($unit) = @_;
    open(my $out, "-|", "systemctl", "show", "--value", "--property=ExecMainStatus", "--", $unit) or return "";
    my $status = <$out> // "";
    chomp $status;
    return $status;
}

1;
