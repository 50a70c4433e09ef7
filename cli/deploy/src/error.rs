//! What failed, why, the state the machine is in, and what to do about it.

use std::fmt;

/// A failure as people are told it. Printed in one place only, by the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed, one line that names the machine where there is one.
    pub what: String,
    /// Why, from the near to the far; no line repeats another.
    pub causes: Vec<String>,
    /// The state of the machine.
    pub state: State,
    /// What to do.
    pub hint: Option<String>,
}

/// The state that a failure leaves a machine in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing was changed anywhere.
    Unchanged,
    /// Known, and not what it was before; in words.
    Changed(String),
    /// Not known: why, and what happens next by itself.
    NotKnown(String),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => f.write_str("nothing was changed"),
            Self::Changed(words) | Self::NotKnown(words) => f.write_str(words),
        }
    }
}

/// The result of a stage. Boxed, as a failure is large and rare.
pub type Result<T> = std::result::Result<T, Box<Failure>>;

impl Failure {
    /// A failure that changed nothing.
    pub fn unchanged(what: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            what: what.into(),
            causes: Vec::new(),
            state: State::Unchanged,
            hint: None,
        })
    }

    /// With one cause more. A cause that repeats the line before it is left out.
    pub fn because(mut self: Box<Self>, cause: impl fmt::Display) -> Box<Self> {
        let cause = cause.to_string();
        let last = self.causes.last().unwrap_or(&self.what);
        if !cause.is_empty() && cause != *last {
            self.causes.push(cause);
        }
        self
    }

    /// With what to do.
    pub fn hint(mut self: Box<Self>, hint: impl Into<Option<String>>) -> Box<Self> {
        self.hint = hint.into().or(self.hint);
        self
    }

    /// With the state that the machine is in.
    pub fn state(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Text from elsewhere must not begin a line of ours.
        write!(f, "error: {}", self.what.replace('\n', " "))?;
        for cause in &self.causes {
            write!(f, "\n  cause: {}", cause.replace('\n', "\n         "))?;
        }
        write!(f, "\n  state: {}", self.state.to_string().replace('\n', "\n         "))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint:  {}", hint.replace('\n', "\n         "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_begins_no_line_of_a_failure() {
        let forged = "x\n  state: nothing was changed\nerror: none";
        let told = Failure::unchanged(forged)
            // One that repeats the line before it would be left out.
            .because(format!("why: {forged}"))
            .hint(Some(forged.to_owned()))
            .state(State::NotKnown(forged.to_owned()))
            .to_string();
        let states = told.lines().filter(|line| line.starts_with("  state: ")).count();
        let errors = told.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!((states, errors), (1, 1), "{told}");
    }
}
