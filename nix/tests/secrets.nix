# Secrets that exist, and secrets that do not exist yet.
{ lib, evaluate, refused, ... }:
let
  service = {
    homelab.services.thing = {
      unit = "thing.service";
      noBackupReason = "test";
      secrets.present.restartUnits = [ "thing.service" ];
      secrets.absent = {
        hint = "a word";
        generator.kind = "hex";
      };
      secrets.login.generator = {
        kind = "htpasswd";
        user = "joe";
        password = "notes-login";
      };
    };
    systemd.services.thing.script = "true";
  };
  config = evaluate [ service ];
  agenixs = evaluate [
    service
    { homelab.secrets.keepWorking = false; }
  ];
  plain = evaluate [
    service
    { homelab.secrets.provider = "plain"; }
  ];
  entry = name: lib.findFirst (secret: secret.name == name) null config.homelab.manifest.secrets;
  # What sops-nix declares, and a user's own provider.
  sops = evaluate [
    service
    {
      options.sops.secrets = lib.mkOption { type = lib.types.raw; };
      config.homelab.secrets = {
        provider = "sops";
        directory = lib.mkForce ./secrets-sops;
      };
    }
  ];
  own = evaluate [
    service
    (
      { config, ... }:
      {
        homelab.secrets.providers.vault.folder = "/run/vault";
        homelab.secrets.provider = "vault";
        environment.etc.vault.text = toString (lib.attrNames config.homelab.derived.secrets);
      }
    )
  ];
  unknown = refused [
    service
    { homelab.secrets.provider = "nobody"; }
  ];
in
{
  "sops decrypts a file for each secret, and one that is missing is listed" = {
    expr = {
      inherit (sops.sops.secrets.present) format mode;
      path = sops.homelab.secrets.files.present.path;
      inherit (sops.homelab.secrets) missing;
      file = (lib.head sops.homelab.manifest.secrets).file;
    };
    expected = {
      format = "binary";
      mode = "0400";
      path = "/run/secrets/present";
      missing = [
        "absent"
        "login"
      ];
      file = "secrets-sops/absent.sops";
    };
  };
  "a provider of one's own is a folder and what it does with the secrets" = {
    expr = {
      path = own.homelab.secrets.files.absent.path;
      text = own.environment.etc.vault.text;
      inherit (own.homelab.secrets) missing;
    };
    expected = {
      path = "/run/vault/absent";
      text = "absent login present";
      missing = [ ];
    };
  };
  "a token for metrics is handed to who scrapes, who owns no file" = {
    expr =
      let
        config = evaluate [
          {
            homelab.tls.mode = "internal";
            homelab.services.caddy.enable = true;
            homelab.services.victoriametrics = {
              enable = true;
              sites = [ "metrics.example.org" ];
            };
            homelab.services.a = {
              port = 1;
              noHealthCheckReason = "test";
              noBackupReason = "test";
              metrics.default.bearerTokenFile = "/run/agenix/token";
            };
          }
        ];
        job = lib.findFirst (job: job.job_name == "a") null config.services.victoriametrics.prometheusConfig.scrape_configs;
      in
      {
        inherit (job) bearer_token_file;
        inherit (config.systemd.services.victoriametrics.serviceConfig) LoadCredential;
      };
    expected = {
      bearer_token_file = "/run/credentials/victoriametrics.service/token-a";
      LoadCredential = [ "token-a:/run/agenix/token" ];
    };
  };
  "sops without its module is refused" = {
    expr = map (entry: entry.message) (
      lib.filter (entry: !entry.assertion)
        (refused [
          service
          { homelab.secrets.provider = "sops"; }
        ]).assertions
    );
    expected = [
      "nobody decrypts absent, login, present: import sops-nix.nixosModules.sops, or set homelab.secrets.provider to another one"
    ];
  };
  "a provider that there is not is refused" = {
    expr = map (entry: entry.message) (lib.filter (entry: !entry.assertion) unknown.assertions);
    expected = [
      "`nobody` is no provider of secrets: set homelab.secrets.provider to one of agenix, plain, sops, or declare homelab.secrets.providers.nobody"
    ];
  };
  "secrets are put in place by a script of ours, with agenix's options, unless agenix's is asked for" = {
    expr =
      let
        text = config: name: config.system.activationScripts.${name}.text;
        ours = lib.hasInfix "SECRETS_DIR=/run/agenix MOUNT_POINT=/run/agenix.d";
        agenix = lib.hasInfix "[agenix]";
      in
      {
        ours = map (name: ours (text config name)) [ "agenixInstall" "agenixChown" ];
        agenix = map (name: agenix (text config name)) [ "agenixNewGeneration" "agenixInstall" "agenixChown" ];
        asked = map (name: agenix (text agenixs name)) [ "agenixNewGeneration" "agenixInstall" "agenixChown" ];
        order = config.system.activationScripts.users.deps == agenixs.system.activationScripts.users.deps;
      };
    expected = {
      ours = [ true true ];
      agenix = [ false false false ];
      asked = [ true true true ];
      order = true;
    };
  };
  "where a unit makes the users, a unit puts secrets in place, by the same script" = {
    expr =
      let
        byUnit = refused [
          service
          { systemd.sysusers.enable = true; }
        ];
        inherit (byUnit) systemd system;
        own = toString systemd.services.agenix-install-secrets.serviceConfig.ExecStart;
      in
      {
        script = builtins.match "/nix/store/[a-z0-9]{32}-install-secrets" own != null;
        steps = system.activationScripts ? agenixInstall;
      };
    expected = {
      script = true;
      steps = false;
    };
  };
  "agenix gets only what exists" = {
    expr = lib.attrNames config.age.secrets;
    expected = [ "present" ];
  };
  "a secret without a file is listed" = {
    expr = config.homelab.secrets.missing;
    expected = [
      "absent"
      "login"
    ];
  };
  "the deploy is told both, and which file to make" = {
    expr = {
      missing = (entry "absent").file;
      inherit (entry "absent") hint;
      generator = { inherit ((entry "absent").generator) kind length; };
      isGenerated = (entry "present") ? generator;
      present = builtins.match "/nix/store/[a-z0-9]{32}-present.age" (entry "present").file != null;
      inherit ((entry "present")) path restartUnits;
    };
    expected = {
      missing = "secrets/absent.age";
      hint = "a word";
      generator = {
        kind = "hex";
        length = 32;
      };
      isGenerated = false;
      present = true;
      path = "/run/agenix/present";
      restartUnits = [ "thing.service" ];
    };
  };
  "a hash is told with its user, and with the secret that gets its password" = {
    expr = { inherit ((entry "login").generator) kind user password; };
    expected = {
      kind = "htpasswd";
      user = "joe";
      password = "notes-login";
    };
  };
  "what reads a secret restarts when the file changes" = {
    expr = map (trigger: builtins.match ".*present.age" (toString trigger) != null) config.systemd.services.thing.restartTriggers;
    expected = [ true ];
  };
  "plain secrets need no file and no key" = {
    expr = {
      inherit (plain.homelab.secrets) missing manifest;
      inherit (plain.homelab.secrets.files.absent) path;
      text = plain.environment.etc."plain-secrets/absent".text;
    };
    expected = {
      missing = [ ];
      manifest = [ ];
      path = "/etc/plain-secrets/absent";
      text = "nixos";
    };
  };
}
