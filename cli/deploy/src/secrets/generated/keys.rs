//! Private keys, and the public halves that belong to them.

use age::secrecy::ExposeSecret;
use base64ct::{Base64, Encoding};
use ssh_key::{
    LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{Generated, bytes, random};

/// A key of SSH's.
pub fn ssh() -> Result<Generated, String> {
    let told = |error: ssh_key::Error| error.to_string();
    let seed = seed()?;
    let pair = KeypairData::from(Ed25519Keypair::from_seed(&seed));
    let key = PrivateKey::new(pair, "").map_err(told)?;
    let text = key.to_openssh(LineEnding::LF).map_err(told)?;
    let public = key.public_key().to_openssh().map_err(told)?;
    Ok(Generated { text: bytes(&text), public: Some(public), password: None })
}

/// A key of age's.
pub fn age() -> Generated {
    let key = age::x25519::Identity::generate();
    let secret = key.to_string();
    let secret = secret.expose_secret();
    let mut text = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
    text.extend_from_slice(secret.as_bytes());
    text.push(b'\n');
    Generated { text, public: Some(key.to_public().to_string()), password: None }
}

/// A key of WireGuard's, as `wg genkey` and `wg pubkey` write them.
pub fn wireguard() -> Result<Generated, String> {
    Ok(wireguard_of(seed()?))
}

fn wireguard_of(mut seed: Zeroizing<[u8; 32]>) -> Generated {
    // As wg has it. The public half is the same without, as multiplying does this too.
    seed[0] &= 0xf8;
    seed[31] = seed[31] & 0x7f | 0x40;
    let public = PublicKey::from(&StaticSecret::from(*seed));
    let mut text = Zeroizing::new(Base64::encode_string(&*seed));
    text.push('\n');
    let public = Base64::encode_string(public.as_bytes());
    Generated { text: bytes(&text), public: Some(public), password: None }
}

fn seed() -> Result<Zeroizing<[u8; 32]>, String> {
    let mut seed = Zeroizing::new([0; 32]);
    seed.copy_from_slice(&random(32)?);
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_s_public_half_belongs_to_it() {
        let made = ssh().unwrap();
        let read = PrivateKey::from_openssh(&made.text[..]).unwrap();
        assert_eq!(read.public_key().to_openssh().ok(), made.public);
        let made = age();
        let text = String::from_utf8(made.text.to_vec()).unwrap();
        let key: age::x25519::Identity = text.trim().parse().unwrap();
        assert_eq!(Some(key.to_public().to_string()), made.public);
    }

    /// `wg pubkey` and `openssl pkey -pubout` give this public half for the private one.
    #[test]
    fn a_wireguard_key_is_as_its_own_program_has_it() {
        let mut seed = Zeroizing::new([0; 32]);
        for (at, byte) in (0..).zip(seed.iter_mut()) {
            *byte = at;
        }
        let made = wireguard_of(seed);
        assert_eq!(made.public.as_deref(), Some("j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8="));
        assert_eq!(*made.text, b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHl8=\n");
    }
}
