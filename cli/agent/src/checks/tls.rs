//! TLS to a service on this machine.
//!
//! The client verifies that the server has the key of its certificate, and that the certificate is
//! for the requested name. It verifies neither the issuer nor the validity period. The connection
//! goes to an address of this machine, so there is no attacker in between, and the machine does not
//! know the root certificates that the service's clients trust.

use std::sync::Arc;

use deploy_wire::machine::CheckKind;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    SignatureScheme, StreamOwned,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use x509_cert::{Certificate, der::Decode};

use super::{
    limit::{Limit, Limited},
    tcp,
};

/// A connection after the TLS handshake.
pub type Stream = StreamOwned<ClientConnection, Limited>;

/// Connects and runs the TLS handshake.
pub fn connect(address: &str, port: u16, sni: &str, limit: Limit) -> Result<Stream, String> {
    let mut tcp = tcp::connect(address, port, limit)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NameAndKey(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from(sni.to_owned())
        .map_err(|_| format!("`{sni}` is no name of a server"))?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(|e| e.to_string())?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).map_err(|error| format!("{address}:{port}: {error}"))?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

/// Checks the issuer of a server's certificate.
pub fn look(kind: &CheckKind, limit: Limit) -> Result<String, String> {
    let CheckKind::Certificate { address, port, sni, issuer } = kind else {
        return Err("not a certificate check".into());
    };
    let stream = connect(address, *port, sni, limit)?;
    let shown = stream.conn.peer_certificates().and_then(<[_]>::first);
    let shown = shown.ok_or("the server shows no certificate")?;
    let name = issuer_of(shown)?;
    if name.contains(issuer.as_str()) {
        Ok(format!("issued by {name}"))
    } else {
        Err(format!("issued by {name}, `{issuer}` is expected"))
    }
}

/// The issuer's name in the format of RFC 4514, as `CN=R11,O=Let's Encrypt,C=US`.
fn issuer_of(certificate: &CertificateDer<'_>) -> Result<String, String> {
    Certificate::from_der(certificate)
        .map(|certificate| certificate.tbs_certificate.issuer.to_string())
        .map_err(|error| format!("its certificate cannot be read: {error}"))
}

#[derive(Debug)]
struct NameAndKey(Arc<CryptoProvider>);

impl ServerCertVerifier for NameAndKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_name(&parsed, server_name).map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }) => {
                Error::General(format!("its certificate is not for {}", server_name.to_str()))
            }
            other => other,
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
