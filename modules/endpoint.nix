# ADDRESS:PORT as URLs and scrape targets write it: IPv6 in brackets. An address
# that means "every one" is reached through loopback.
lib: address: port:
let
  reached =
    if address == "0.0.0.0" then
      "127.0.0.1"
    else if address == "::" then
      "::1"
    else
      address;
  host = if lib.hasInfix ":" reached then "[${reached}]" else reached;
in
"${host}:${toString port}"
