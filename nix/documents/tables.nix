# The overview's tables.
{ inputs, lib }:
let
  inherit (inputs.self) nixosConfigurations;
  frame1 = nixosConfigurations.frame1.config;

  vm = {
    inherit (nixosConfigurations.frame1-vm.config.homelab.derived) sites;
    port =
      (lib.findFirst (
        forward: forward.guest.port == 443
      ) { host.port = 443; } nixosConfigurations.frame1-vm.config.virtualisation.forwardPorts).host.port;
  };

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
      else if name == frame1.deploy.agent.user then
        "deploys; may run the agent as root and nothing else"
      else if name == frame1.homelab.services.remote-builder.user then
        "builds for other machines"
      else
        "logs in"
    )
    "${toString (lib.length entry.openssh.authorizedKeys.keys)}"
  ];

  # Who can reach a service, and what they can do there.
  may = what: if what == null then "not said" else if what == [ ] then "nothing" else lib.concatStringsSep ", " what;
  access =
    name: entry:
    let
      ports =
        lib.optional (entry.port != null) {
          inherit (entry) port openFirewall;
          protocol = "tcp";
        }
        ++ lib.attrValues entry.extraPorts;
      list =
        open:
        lib.concatStringsSep ", " (
          lib.unique (
            map (port: "${toString port.port}${lib.optionalString (port.protocol == "udp") "/udp"}") (
              lib.filter (port: port.openFirewall == open) ports
            )
          )
        );
      sites = lib.filter (site: site.service == name) frame1.homelab.derived.sites;
    in
    [
      entry.title
      (orDash (
        lib.concatStringsSep "; " (
          lib.optional (list true != "") "every host: ${list true}"
          ++ lib.optional (list false != "") "programs of the machine: ${list false}"
        )
      ))
      (may entry.access.open)
      (orDash (lib.concatMapStringsSep ", " (site: "${site.host} (${site.audience})") sites))
      (
        if sites == [ ] then
          "–"
        else if entry.auth.kind == "forward" then
          "nothing"
        else if entry.access.sitePaths != null then
          "read"
        else
          may entry.access.open
      )
      (orDash entry.access.note)
    ];
in
{
  access = table [
    "Service"
    "Who connects to its ports"
    "What they can do without a login"
    "Sites"
    "What their visitors can do without a login"
    "What remains"
  ] (lib.mapAttrsToList access frame1.homelab.enabledServices);
  machines = table [ "Machine" "Platform" "Reached as" "Tags" ] (
    map machine (lib.attrNames nixosConfigurations)
  );
  services = table [ "Service" "What it is for" "Site" "Listens on" "Unit" ] (
    lib.mapAttrsToList service frame1.homelab.enabledServices
  );
  builder = "    ${frame1.homelab.services.remote-builder.machinesLine}\n";
  client = lib.concatMapStrings (line: "    ${line}\n") (
    lib.splitString "\n" (lib.removeSuffix "\n" frame1.homelab.services.remote-builder.clientSettings)
  );
  # How the names of the virtual machine's sites reach it from its host.
  vm-request =
    let
      site = lib.findFirst (site: site.service == "grafana") (lib.head vm.sites) vm.sites;
      host = "${site.host}:${toString vm.port}";
    in
    "    curl -k --resolve ${host}:127.0.0.1 https://${host}/\n";
  vm-hosts = "    127.0.0.1 ${lib.concatStringsSep " " (lib.unique (map (site: site.host) vm.sites))}\n";
  users = table [ "User of frame1" "May" "Keys" ] (lib.mapAttrsToList user people);
}
