//! Values of the command line that replace the flake's.

use deploy_wire::machine::{BuildPlace, Machine};

use crate::{
    error::{Failure, Result},
    tools::nix::essence::Errors,
};

/// Values that take precedence over the flake's. `None` keeps the flake's value.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The address to log in to.
    pub hostname: Option<String>,
    /// The login user.
    pub ssh_user: Option<String>,
    /// The arguments for `ssh`.
    pub ssh_opts: Option<Vec<String>>,
    /// Whether a flake from another computer may set any option of `ssh`.
    pub allow_ssh_opts: bool,
    /// The profile's user. Only root's profile is deployed.
    pub profile_user: Option<String>,
    /// The command to become root with.
    pub sudo: Option<Vec<String>>,
    /// Whether sudo asks for a password.
    pub ask_sudo_password: Option<bool>,
    /// Where to build the closure.
    pub build: Option<BuildPlace>,
    /// deploy-rs's name for not asking substituters.
    pub fast_connection: Option<bool>,
    /// Whether a login has to confirm.
    pub confirm_required: Option<bool>,
    /// The seconds to confirm.
    pub confirm_timeout: Option<u64>,
    /// The seconds to activate.
    pub activation_timeout: Option<u64>,
    /// The arguments for Nix, from behind `--`.
    pub nix_args: Vec<String>,
    /// How much of Nix's errors is shown.
    pub errors: Errors,
}

impl Overrides {
    /// Sets the values in a machine.
    pub fn apply(&self, machine: &mut Machine) -> Result<()> {
        if let Some(user) = self.profile_user.as_ref().filter(|user| *user != "root") {
            return Err(Failure::unchanged(format!(
                "the profile of user `{user}` on {} cannot be deployed",
                machine.name
            ))
            .because("who owns a profile is what the flake says")
            .hint(Some(format!(
                "deploy.nodes.{}.profiles.PROFILE.user names the owner",
                machine.name
            ))));
        }
        if let Some(hostname) = &self.hostname {
            machine.ssh.hostname.clone_from(hostname);
            machine.ssh.addresses.clear();
        }
        if let Some(user) = &self.ssh_user {
            machine.ssh.user = Some(user.clone());
        }
        if let Some(opts) = &self.ssh_opts {
            machine.ssh.opts.clone_from(opts);
        }
        if let Some(sudo) = machine.sudo.as_mut() {
            if let Some(command) = &self.sudo {
                sudo.command.clone_from(command);
            }
            sudo.ask = self.ask_sudo_password.unwrap_or(sudo.ask);
        }
        if let Some(place) = &self.build {
            machine.build.place = place.clone();
        }
        if let Some(fast) = self.fast_connection {
            machine.push.substitute = !fast;
        }
        machine.confirm.required = self.confirm_required.unwrap_or(machine.confirm.required);
        machine.confirm.timeout = self.confirm_timeout.unwrap_or(machine.confirm.timeout);
        let activation = &mut machine.timeouts.activation;
        *activation = self.activation_timeout.unwrap_or(*activation);
        Ok(())
    }
}
