//! The sudo password of one machine.

use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zeroize::Zeroizing;

/// A sudo password. It is never printed, its memory is overwritten when it is dropped, and no
/// crash of this process writes it to a disk. What the system swaps out is beyond it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// What was typed. From here on this process leaves no core file.
    pub fn new(typed: Zeroizing<String>) -> Self {
        let maximum = getrlimit(Resource::Core).maximum;
        // Where it is refused the system writes none, or root decides what it does with it.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
        Self(typed)
    }

    /// The line that `sudo -S` reads from stdin.
    pub fn line(&self) -> Zeroizing<String> {
        // Grown, it would leave its first part behind in memory that nobody clears.
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
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn a_password_is_cleared_from_memory_and_in_no_core_file() {
        fn cleared<T: ZeroizeOnDrop>(_: &T) {}
        // As where core files are wanted; where the shell allows none there is nothing to see.
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
