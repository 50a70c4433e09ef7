# A user who may deploy and run nothing else as root. A user who may activate any closure is root in
# the end, so the rule only narrows and logs the commands. It protects against mistakes, not against
# a stolen key. docs/deployment.md says what works with it and what does not.
{ lib, config, ... }:
let
  cfg = config.deploy.agent;

  # This is not a store path, so that it need not change with the agent, and not a pattern, because
  # `*` in sudoers also matches spaces and slashes. Everything else goes through stdin. Nix appends
  # `--stdio` to a remote program.
  agent = "/run/current-system/sw/bin/deploy-agent";
  allowed = command: {
    inherit command;
    options = [
      "NOPASSWD"
      "NOSETENV"
    ];
  };

  # No terminal, no forwarding, no SSH agent: a deploy needs none. A key may already have options.
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
      # sshd runs the agent's command with this shell.
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
