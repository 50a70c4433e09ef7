# Who may reach a site or a path of it.
lib:
lib.types.enum [
  "lan"
  "tailnet"
  "public"
]
