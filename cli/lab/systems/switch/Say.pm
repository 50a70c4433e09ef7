# What switch-to-configuration prints, all of it on its standard error.
package Say;
use strict;
use warnings;

# A reader that is gone ends the switch half way with 101, as it did with the
# releases that do not keep their output apart from it.
sub line {
    my ($text) = @_;
    STDERR->autoflush(1);
    print STDERR "$text\n" or exit 101;
    return;
}

sub units {
    my ($what, @units) = @_;
    return unless @units;
    $what =~ s/^(would \w+|would NOT stop changed|NOT restarting changed|\w+ing)$/$1 the following units:/;
    $what =~ s/(NOT \w+) changed the following units:/$1 the following changed units:/;
    return line("$what " . join(", ", sort @units));
}

sub usage {
    my ($name) = @_;
    $name =~ s{.*/}{};
    line("Usage: $name [check|switch|boot|test|dry-activate]");
    line("check:        run pre-switch checks and exit");
    line("switch:       make the configuration the boot default and activate now");
    line("boot:         make the configuration the boot default");
    line("test:         activate the configuration, but don't make it the boot default");
    line("dry-activate: show what would be done if this configuration were activated");
    exit 1;
}

1;
