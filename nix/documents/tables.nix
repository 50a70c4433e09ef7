# The overview's tables.
{ inputs, lib }:
let
  inherit (inputs.self) nixosConfigurations;
  frame1 = nixosConfigurations.frame1.config;

  row = cells: "| ${lib.concatStringsSep " | " cells} |\n";
  table = head: rows: row head + row (map (_: "---") head) + lib.concatStrings (map row rows);
  orDash = text: if text == "" || text == null then "–" else text;

  machine =
    name:
    let
      inherit (nixosConfigurations.${name}) config pkgs;
      node = inputs.self.deploy.nodes.${name} or null;
    in
    [
      "`${name}`"
      pkgs.stdenv.hostPlatform.system
      (
        if node == null then
          "an image: `deploy build ${name}`"
        else
          "${node.ssh.user}@${node.ssh.hostname}${lib.optionalString (node.ssh.port != null) ":${toString node.ssh.port}"}"
      )
      (orDash (lib.concatStringsSep ", " (config.deploy.tags)))
    ];

  service =
    name: entry:
    [
      entry.title
      (orDash entry.description)
      (orDash (
        lib.concatStringsSep ", " (
          map (site: site.url) (lib.filter (site: site.service == name) frame1.homelab.derived.sites)
        )
      ))
      (orDash (lib.optionalString (entry.port != null) "${entry.bind}:${toString entry.port}"))
      (orDash (lib.concatStringsSep ", " (map (unit: "`${unit}`") entry.units)))
    ];

  people = lib.filterAttrs (
    _: user: (user.openssh.authorizedKeys.keys or [ ]) != [ ]
  ) frame1.users.users;
  user = name: entry: [
    "`${name}`"
    (
      if lib.elem "wheel" entry.extraGroups then
        "root by sudo, without a password"
      else if name == frame1.services.deploy-agent.user then
        "deploys; may run the agent as root and nothing else"
      else if name == frame1.homelab.remoteBuilder.user then
        "builds for other machines"
      else
        "logs in"
    )
    "${toString (lib.length entry.openssh.authorizedKeys.keys)}"
  ];
in
{
  machines = table [ "Machine" "Platform" "Reached as" "Tags" ] (
    map machine (lib.attrNames nixosConfigurations)
  );
  services = table [ "Service" "What it is for" "Site" "Listens on" "Unit" ] (
    lib.mapAttrsToList service frame1.homelab.enabledServices
  );
  builder = "    ${frame1.homelab.remoteBuilder.machinesLine}\n";
  client = lib.concatMapStrings (line: "    ${line}\n") (
    lib.splitString "\n" (lib.removeSuffix "\n" frame1.homelab.remoteBuilder.clientSettings)
  );
  users = table [ "User of frame1" "May" "Keys" ] (lib.mapAttrsToList user people);
}
