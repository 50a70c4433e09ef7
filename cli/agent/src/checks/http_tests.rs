use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use super::*;

fn judged(answer: &[u8], status: u16, contains: Option<&str>) -> Result<String, String> {
    judge(answer, Expected { status, contains }, true).expect("it is over")
}

#[test]
fn status_and_body_decide() {
    let answer = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{\"database\": \"ok\"}";
    assert_eq!(judged(answer, 200, Some("\"ok\"")), Ok("status 200".into()));
    assert_eq!(judged(answer, 204, None), Err("status 200, 204 is expected".into()));
    assert!(judged(answer, 200, Some("bad")).unwrap_err().contains("does not contain `bad`"));
    assert_eq!(judged(b"SSH-2.0-x\r\n", 200, None), Err("the answer is not HTTP".into()));
}

/// The result of the check against a server that sends these parts, each after a pause, and keeps
/// the connection open.
fn said(
    parts: &'static [&'static str],
    pause: u64,
    contains: Option<&str>,
) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for part in parts {
            thread::sleep(Duration::from_millis(pause));
            // The client may have closed the connection.
            let _ = stream.write_all(part.as_bytes());
        }
        thread::sleep(Duration::from_secs(10));
    });
    let kind = serde_json::from_value(serde_json::json!({
        "type": "http", "address": "127.0.0.1", "port": port, "contains": contains,
    }));
    look(&kind.unwrap(), Limit::of(Duration::from_millis(1000)))
}

const LATE: &str = "it did not answer to the end within 1 s";

#[test]
fn a_server_that_drips_outlives_no_limit() {
    let begun = Instant::now();
    let head =
        &["H", "T", "T", "P", "/", "1", ".", "0", " ", "2", "0", "0", "\r", "\n", "\r", "\n"];
    assert_eq!(said(head, 300, None), Err(LATE.into()));
    let body = &["HTTP/1.0 200 OK\r\n\r\n", "a", "b", "c", "d", "e", "f", "g", "ok"];
    assert_eq!(said(body, 300, Some("ok")), Err(LATE.into()));
    assert_eq!(said(&[], 0, None), Err(LATE.into()), "it is silent");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[test]
fn an_answer_is_judged_as_soon_as_it_can_be() {
    let begun = Instant::now();
    assert_eq!(said(&["HTTP/1.1 200 OK\r\n\r\n", "a"], 0, None), Ok("status 200".into()));
    let whole = &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno"];
    assert!(said(whole, 0, Some("ok")).unwrap_err().contains("does not contain"));
    let endless = &["HTTP/1.1 200 OK\r\n\r\n", "is ok", " and goes on"];
    assert_eq!(said(endless, 0, Some("ok")), Ok("status 200".into()));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
