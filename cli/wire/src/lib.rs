//! The words that `deploy` and `deploy-agent` both speak.
