# A user who may deploy and type nothing else as root. Whoever may activate any
# closure is root in the end: the rule narrows what can be typed, and logs it. It
# protects against slips, not against a stolen key. What works with it and what does not is
# in docs/deployment.md.
{ lib, config, ... }:
let
  cfg = config.deploy.agent;

  # No path of the store, so that it need not change with the agent, and no
  # pattern: `*` of sudoers matches spaces and slashes too. All else goes by
  # standard input. `--stdio` is what Nix appends to a remote program.
  agent = "/run/current-system/sw/bin/deploy-agent";
  allowed = command: {
    inherit command;
    options = [
      "NOPASSWD"
      "NOSETENV"
    ];
  };

  # No terminal, no forwards, no agent: a deploy needs none. A key may have options already.
  restricted =
    key:
    if lib.hasPrefix "restrict" key then
      key
    else if builtins.match "(sk-)?(ssh|ecdsa)-[^ ]+ .*" key != null then
      "restrict ${key}"
    else
      "restrict,${key}";
in
{
  options.deploy.agent = {
    user = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "deploy";
      description = "A user who may run the agent as root, and nothing else. Null for none.";
    };

    authorizedKeys = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      description = "Public keys that log in as that user, without a terminal and without forwards (`restrict` of sshd).";
    };
  };

  config = lib.mkIf (cfg.enable && cfg.user != null) {
    users.users.${cfg.user} = {
      isSystemUser = true;
      group = cfg.user;
      # sshd runs the agent's command by it.
      useDefaultShell = true;
      description = "Deploys this machine";
      openssh.authorizedKeys.keys = map restricted cfg.authorizedKeys;
    };
    users.groups.${cfg.user} = { };

    security.sudo.extraRules = [
      {
        users = [ cfg.user ];
        runAs = "root";
        commands = [
          (allowed "${agent} serve")
          (allowed "${agent} serve --stdio")
        ];
      }
    ];

    assertions = [
      {
        assertion = cfg.authorizedKeys != [ ];
        message = "nobody can log in as the deploy user `${cfg.user}`: add a key to deploy.agent.authorizedKeys, or set deploy.agent.user = null";
      }
    ];
  };
}
