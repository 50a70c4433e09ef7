//! Logins over which sshd allows too few sessions.

use crate::{
    error::Failure,
    tools::ssh::{self, Diagnosis, SshError},
};

/// The failure for too few sessions, if `said`, the output of `ssh` or Nix, is about that. A push
/// and a query open their sessions at the same time, so either can be the one that sshd refuses;
/// the message is the same.
pub fn too_few(name: &str, said: &str) -> Option<Box<Failure>> {
    let error = SshError::from_stderr(said);
    (error.diagnosis == Diagnosis::NoMoreSessions).then(|| {
        Failure::unchanged(format!("cannot copy the system to {name}"))
            .because(error)
            .hint(ssh::more_sessions(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_session_is_told_as_one() {
        let refused = "mux_client_request_session: session request failed: \
                       Session open refused by peer";
        let told = too_few("frame1", refused).unwrap();
        assert!(told.to_string().contains("MaxSessions 4"), "{told}");
        assert_eq!(too_few("frame1", "error: No space left on device"), None);
    }
}
