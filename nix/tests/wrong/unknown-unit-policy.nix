# deploy.units.policy
{ deploy.units.policy = "strict"; }
