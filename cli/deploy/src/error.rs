//! Failures: what failed, why, the state of the machine, and what to do.

use std::fmt;

/// A failure as people see it. Only the report prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One line that says what failed, and on which machine.
    pub what: String,
    /// The causes, the nearest first. No line repeats another.
    pub causes: Vec<String>,
    /// The state that the machine is in.
    pub state: State,
    /// What the operator can do.
    pub hint: Option<String>,
}

/// The state that a failure leaves a machine in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing was changed.
    Unchanged,
    /// The state is known and differs from the state before; the text describes it.
    Changed(String),
    /// The state is not known. The text says why, and what the machine does next.
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

/// The result of a stage. The failure is boxed because it is large and rare.
pub type Result<T> = std::result::Result<T, Box<Failure>>;

impl Failure {
    /// A failure after which nothing is changed.
    pub fn unchanged(what: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            what: what.into(),
            causes: Vec::new(),
            state: State::Unchanged,
            hint: None,
        })
    }

    /// Adds a cause, unless it repeats the line before it.
    pub fn because(mut self: Box<Self>, cause: impl fmt::Display) -> Box<Self> {
        let cause = cause.to_string();
        let last = self.causes.last().unwrap_or(&self.what);
        if !cause.is_empty() && cause != *last {
            self.causes.push(cause);
        }
        self
    }

    /// Sets the hint.
    pub fn hint(mut self: Box<Self>, hint: impl Into<Option<String>>) -> Box<Self> {
        self.hint = hint.into().or(self.hint);
        self
    }

    /// Sets the state of the machine.
    pub fn state(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line break in text from elsewhere must not start a line that looks like one of ours.
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
            // The prefix keeps the cause from being dropped as a repetition.
            .because(format!("why: {forged}"))
            .hint(Some(forged.to_owned()))
            .state(State::NotKnown(forged.to_owned()))
            .to_string();
        let states = told.lines().filter(|line| line.starts_with("  state: ")).count();
        let errors = told.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!((states, errors), (1, 1), "{told}");
    }
}
