# nobody can log in as the deploy user `deploy`
{ lib, ... }:
{ services.deploy-agent.authorizedKeys = lib.mkForce [ ]; }
