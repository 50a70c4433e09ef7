# ADDRESS:PORT as URLs and scrape targets write it. An address that means "every one" is
# reached through loopback.
lib: address:
import ./listen.nix lib (
  {
    "0.0.0.0" = "127.0.0.1";
    "::" = "::1";
  }
  .${address} or address
)
