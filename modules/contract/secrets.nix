# Secrets that the service reads at run time.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  generator.options = {
    kind = mkOption {
      type = types.enum [
        "random"
        "hex"
        "uuid"
        "ssh-key"
        "age-key"
        "wireguard"
        "htpasswd"
        "argon2"
        "command"
      ];
      description = ''
        `random`: letters; `hex`: bytes as hexadecimal digits; `uuid`: a random UUID; `ssh-key`,
        `age-key`, `wireguard`: a private key, whose public half is written beside it as `NAME.pub`;
        `htpasswd`: a line with `user` and the bcrypt hash of a random password; `argon2`: the
        argon2id hash of one; `command`: what a program prints.
      '';
    };
    length = mkOption {
      type = types.ints.between 8 4096;
      default = 32;
      description = "Letters of `random` and of the password of `htpasswd` (at most 72) and `argon2`, bytes of `hex`.";
    };
    alphabet = mkOption {
      type = types.strMatching "[!-~]{2,}";
      default = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
      description = "The letters of `random`, and of passwords.";
    };
    user = mkOption {
      type = types.nullOr (types.strMatching "[^:[:space:]]+");
      default = null;
      example = "joe";
      description = "The user of `htpasswd`.";
    };
    password = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "notes-login";
      description = "The secret that gets the password of `htpasswd` and `argon2` in clear text, `NAME-password` if null. Its rule says who can read it; no machine has to.";
    };
    command = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [
        "nix"
        "run"
        ".#make-token"
      ];
      description = "The program of `command` and its arguments, without a shell. It runs on the operator's computer, in the flake's folder.";
    };
  };
in
{
  options.secrets = mkOption {
    type = types.attrsOf (
      types.submodule {
        options = {
          owner = mkOption {
            type = types.str;
            default = "root";
            description = "Who owns the decrypted file. A DynamicUser cannot: let systemd read it, by LoadCredential or EnvironmentFile.";
          };
          group = mkOption {
            type = types.str;
            default = "root";
            description = "Its group.";
          };
          mode = mkOption {
            type = types.strMatching "0[0-7]{3}";
            default = "0400";
            description = "Its permissions.";
          };
          restartUnits = mkOption {
            type = types.listOf types.str;
            default = [ ];
            description = "Units that restart when the secret changes.";
          };
          hint = mkOption {
            type = types.str;
            default = "";
            description = "What to put into it, for the message that says it is missing.";
          };
          generator = mkOption {
            type = types.nullOr (types.submodule generator);
            default = null;
            example = {
              kind = "random";
              length = 40;
            };
            description = ''
              What makes it, for `deploy secrets new MACHINE`, where nobody has made it yet. Null:
              a person has to say it.
            '';
          };
        };
      }
    );
    default = { };
    description = ''
      Secrets by name: each is the file `NAME.age` in `homelab.secrets.directory`,
      decrypted to `homelab.secrets.files.NAME.path`.
    '';
  };
}
