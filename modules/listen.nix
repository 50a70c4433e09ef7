# ADDRESS:PORT as a program is told where to listen: IPv6 in brackets.
lib: address: port:
"${if lib.hasInfix ":" address then "[${address}]" else address}:${toString port}"
