# nobody can log in as the deploy user `deploy`
{ lib, ... }:
{ deploy.agent.authorizedKeys = lib.mkForce [ ]; }
