use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::*;
use crate::checks::http;

fn limit() -> Limit {
    Limit::of(Duration::from_secs(10))
}

const NAME: &str = "grafana.lan";

/// A real TLS server on its own port that answers one connection.
fn server(answer: &'static str) -> u16 {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Let's Encrypt");
    let certificate = params.self_signed(&key).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = StreamOwned::new(connection, tcp);
        let mut request = [0; 16];
        if tls.read(&mut request).is_ok_and(|read| read > 0) {
            tls.write_all(answer.as_bytes()).unwrap();
            tls.conn.send_close_notify();
            tls.flush().unwrap();
        }
    });
    port
}

fn certificate(sni: &str, issuer: &str) -> Result<String, String> {
    let (address, port) = ("127.0.0.1".to_owned(), server(""));
    look(&CheckKind::Certificate { address, port, sni: sni.into(), issuer: issuer.into() }, limit())
}

#[test]
fn the_issuer_of_a_certificate_decides() {
    assert_eq!(certificate(NAME, "Let's Encrypt"), Ok("issued by O=Let's Encrypt".into()));
    assert_eq!(
        certificate(NAME, "Caddy Local"),
        Err("issued by O=Let's Encrypt, `Caddy Local` is expected".into())
    );
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let error = certificate("other.lan", "Let's Encrypt").unwrap_err();
    assert!(error.ends_with("its certificate is not for other.lan"), "{error}");
}

#[test]
fn a_web_server_behind_tls_is_asked() {
    let kind = |port| CheckKind::Http {
        address: "127.0.0.1".into(),
        port,
        host: Some(NAME.into()),
        sni: Some(NAME.into()),
        path: "/api/health".into(),
        status: 200,
        contains: Some("ok".into()),
    };
    let good = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(http::look(&kind(good), limit()), Ok("status 200".into()));
    let bad = server("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    assert_eq!(http::look(&kind(bad), limit()), Err("status 502, 200 is expected".into()));
}

#[test]
fn a_handshake_that_drips_outlives_no_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        // The header of a handshake record of 16 KiB, followed by its bytes one by one.
        for byte in [0x16, 3, 3, 0x40, 0].into_iter().chain(std::iter::repeat(0)) {
            if tcp.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    });
    let begun = Instant::now();
    let said = connect("127.0.0.1", port, NAME, Limit::of(Duration::from_secs(1)));
    let error = said.map(drop).unwrap_err();
    assert!(error.ends_with("it did not answer to the end within 1 s"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
