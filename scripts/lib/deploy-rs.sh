# shellcheck shell=bash
# deploy-rs 1.0.0 for the benchmark and its fault table. Sourced.

deploy_rs=$HOME/.cache/deploy-lab/deploy-rs-1.0.0

# Whether deploy-rs is installed.
has_deploy_rs() {
  [ -x "$deploy_rs/bin/deploy" ] && [ -x "$deploy_rs/bin/activate" ]
}

# Installs it once from its registry (about 3 minutes).
make_deploy_rs() {
  has_deploy_rs || cargo install --quiet --locked deploy-rs --version 1.0.0 --root "$deploy_rs"
}
