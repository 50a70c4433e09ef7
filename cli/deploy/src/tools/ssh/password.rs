//! The sudo password of a machine.

use std::fmt;

use zeroize::Zeroizing;

use crate::tools::process;

/// A sudo password. It is never printed, its memory is overwritten when it is dropped, and no core
/// dump contains it. Swapped memory is not protected.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Wraps what was typed. From now on this process writes no core file.
    pub fn new(typed: Zeroizing<String>) -> Self {
        process::leave_no_core();
        Self(typed)
    }

    /// The line that `sudo -S` reads from stdin.
    pub fn line(&self) -> Zeroizing<String> {
        // A string that grows would leave its first part in memory that is not cleared.
        let mut line = Zeroizing::new(String::with_capacity(self.0.len() + 1));
        line.push_str(&self.0);
        line.push('\n');
        line
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn a_password_is_cleared_from_memory_and_in_no_core_file() {
        fn cleared<T: ZeroizeOnDrop>(_: &T) {}
        // The test needs a limit above 0. If the shell allows no core files, it proves nothing.
        let maximum = getrlimit(Resource::Core).maximum;
        setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).unwrap();
        let password = Password::new(Zeroizing::new("secret".into()));
        cleared(&password.0);
        cleared(&password.line());
        assert_eq!(*password.line(), "secret\n");
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
