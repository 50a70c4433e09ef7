//! Hashes of a password that is made with them, and becomes a secret of its own: programs want the
//! hash, people the password.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, SaltString},
};
use bcrypt::Version;
use deploy_wire::machine::Generator;
use zeroize::Zeroizing;

use super::{Generated, bytes, letters, random};

/// The bytes of a salt.
const SALT: u32 = 16;

/// The rounds of bcrypt, as a power of two. A proxy hashes at each request, and a random password
/// needs no slow hash.
const ROUNDS: u32 = 10;

/// The bytes of a password that bcrypt looks at.
const LONGEST: usize = 72;

/// A line for htpasswd: the user, and bcrypt's hash in the form that Apache and nginx read.
pub fn htpasswd(by: &Generator) -> Result<Generated, String> {
    let user = by.user.as_deref().filter(|user| !user.is_empty());
    let user = user.ok_or("its generator makes a line for htpasswd, and names no user")?;
    if user.contains(|c: char| c == ':' || c.is_whitespace()) {
        return Err(format!(
            "its generator names the user `{user}`: htpasswd has neither `:` nor blanks in one"
        ));
    }
    let password = letters(by)?;
    if password.len() > LONGEST {
        return Err(format!(
            "its generator wants a password that is longer than the {LONGEST} letters that bcrypt looks at"
        ));
    }
    let mut salt = [0; SALT as usize];
    salt.copy_from_slice(&random(SALT)?);
    let hash = bcrypt::hash_with_salt(password.as_bytes(), ROUNDS, salt);
    let hash = hash.map_err(|error| error.to_string())?.format_for_version(Version::TwoY);
    let line = Zeroizing::new(format!("{user}:{hash}\n"));
    Ok(Generated { text: bytes(&line), public: None, password: Some(bytes(&password)) })
}

/// The hash by argon2id, as a PHC string with the costs that RFC 9106 leaves to its readers.
pub fn argon2(by: &Generator) -> Result<Generated, String> {
    let password = letters(by)?;
    let told = |error: argon2::password_hash::Error| error.to_string();
    let salt = SaltString::encode_b64(&random(SALT)?).map_err(told)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(told)?;
    let text = Zeroizing::new(hash.to_string());
    Ok(Generated { text: bytes(&text), public: None, password: Some(bytes(&password)) })
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHash, PasswordVerifier};
    use serde_json::json;

    use super::*;

    fn by(declared: serde_json::Value) -> Generator {
        serde_json::from_value(declared).unwrap()
    }

    fn parts(made: Generated) -> (String, String) {
        let text = |bytes: Zeroizing<Vec<u8>>| String::from_utf8(bytes.to_vec()).unwrap();
        (text(made.text), text(made.password.unwrap()))
    }

    #[test]
    fn a_hash_is_of_the_password_that_is_made_with_it() {
        let made = htpasswd(&by(json!({ "kind": "htpasswd", "user": "joe", "length": 20 })));
        let (line, password) = parts(made.unwrap());
        let hash = line.strip_prefix("joe:").and_then(|line| line.strip_suffix('\n')).unwrap();
        assert!(hash.starts_with("$2y$10$") && hash.len() == 60, "{hash}");
        assert_eq!(password.len(), 20);
        assert!(bcrypt::verify(&password, hash).unwrap());
        let (text, password) = parts(argon2(&by(json!({ "kind": "argon2" }))).unwrap());
        assert!(text.starts_with("$argon2id$v=19$m="), "{text}");
        let hash = PasswordHash::new(&text).unwrap();
        Argon2::default().verify_password(password.as_bytes(), &hash).unwrap();
        assert!(Argon2::default().verify_password(b"x", &hash).is_err());
    }

    #[test]
    fn a_line_that_htpasswd_cannot_have_is_refused() {
        for (declared, why) in [
            (json!({ "kind": "htpasswd" }), "names no user"),
            (json!({ "kind": "htpasswd", "user": "a:b" }), "neither `:` nor blanks"),
            (json!({ "kind": "htpasswd", "user": "a", "length": 73 }), "longer than the 72"),
        ] {
            let refused = htpasswd(&by(declared)).err().unwrap();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
