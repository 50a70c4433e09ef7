# ADDRESS:PORT for a program's listen option, with IPv6 in brackets.
lib: address: port:
"${if lib.hasInfix ":" address then "[${address}]" else address}:${toString port}"
