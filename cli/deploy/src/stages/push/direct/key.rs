//! A key for one login of a builder.

use ssh_key::{
    LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use zeroize::Zeroizing;

/// A pair of keys. Neither half is written to a disk here.
pub struct OneTimeKey {
    /// The private half, as `ssh -i` reads it.
    pub private: Zeroizing<String>,
    /// The public half: kind and key.
    pub public: String,
}

impl OneTimeKey {
    /// Makes a pair.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new() -> Result<Self, String> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|error| error.to_string())?;
        let told = |error: ssh_key::Error| error.to_string();
        let pair = KeypairData::from(Ed25519Keypair::from_seed(&seed));
        let key = PrivateKey::new(pair, "").map_err(told)?;
        let private = key.to_openssh(LineEnding::LF).map_err(told)?;
        let public = key.public_key().to_openssh().map_err(told)?;
        Ok(Self { private, public: public.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pushes_have_the_same_key() {
        let (a, b) = (OneTimeKey::new().unwrap(), OneTimeKey::new().unwrap());
        assert!(a.public.starts_with("ssh-ed25519 ") && a.public.split(' ').count() == 2);
        assert!(a.private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert_ne!(a.public, b.public);
    }
}
