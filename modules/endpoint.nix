# ADDRESS:PORT for URLs and scrape targets. An address that means "all addresses" is reached through
# loopback.
lib: address:
import ./listen.nix lib (
  {
    "0.0.0.0" = "127.0.0.1";
    "::" = "::1";
  }
  .${address} or address
)
