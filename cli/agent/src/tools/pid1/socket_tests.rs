use zbus::OwnedObjectPath;

use super::*;

fn answer(kind: u8, fields: Vec<(u8, Variant<'_>)>, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    let header: Header<'_> = (b'l', kind, 1, 1, length, 9, fields);
    to_bytes(Context::new(LE, 0), &header).unwrap().to_vec()
}

fn signature(text: &str) -> (u8, Variant<'_>) {
    (SIGNATURE, Variant::new(Signature::try_from(text).unwrap()))
}

/// A client with this limit, connected to a PID 1 that sends a byte every 100 ms.
fn dripping(limit: Duration) -> Pid1 {
    let (here, there) = UnixStream::pair().unwrap();
    std::thread::spawn(move || {
        let mut there = there;
        // The client may have closed the connection.
        while there.write_all(b"l").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    Pid1 { stream: BufReader::new(here), serial: 0, end: Instant::now() + limit }
}

#[test]
fn an_answer_that_drips_outlives_no_limit() {
    let begun = Instant::now();
    dripping(Duration::from_millis(500)).receive().unwrap_err();
    dripping(Duration::from_millis(500)).line().unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
}

#[test]
fn a_call_is_written_as_the_specification_says() {
    let call = Call { path: "/a", interface: "b.c", member: "D", body: ("x", "y") };
    let message = message(7, &call).unwrap();
    let header = b"l\x01\0\x01\x0e\0\0\0\x07\0\0\0\x38\0\0\0\
        \x01\x01o\0\x02\0\0\0/a\0\0\0\0\0\0\
        \x02\x01s\0\x03\0\0\0b.c\0\0\0\0\0\
        \x03\x01s\0\x01\0\0\0D\0\0\0\0\0\0\0\
        \x08\x01g\0\x02ss\0";
    let body = b"\x01\0\0\0x\0\0\0\x01\0\0\0y\0";
    assert_eq!(message, [&header[..], body].concat());
}

#[test]
fn a_call_without_arguments_has_no_signature() {
    let message = message(1, &Call { path: "/a", interface: "b", member: "C", body: () }).unwrap();
    assert!(!message.windows(2).any(|two| two == b"g\0"), "{message:?}");
    assert_eq!(message.len() % 8, 0);
}

#[test]
fn an_answer_is_found_by_the_serial_that_it_answers() {
    let fields = vec![(REPLY_TO, Variant::U32(3)), signature("v")];
    let body = to_bytes(Context::new(LE, 0), &Variant::U32(2)).unwrap();
    let header = answer(RETURN, fields, &body);
    let (padded, length) = lengths(&header).unwrap();
    assert!(padded + FIXED >= header.len() && padded + FIXED < header.len() + 8);
    assert_eq!(length, body.len());
    let read = Answer::of(&header).unwrap();
    assert_eq!((read.kind, read.to), (RETURN, Some(3)));
    assert!(read.read::<String>(body.to_vec()).is_err(), "a variant is no text");
    let value: OwnedVariant = read.read(body.to_vec()).unwrap();
    assert_eq!(*value, Variant::U32(2));
}

#[test]
fn rows_are_read() {
    type ListedRow = (String, OwnedObjectPath, u32);
    let header = answer(RETURN, vec![signature("a(sou)")], &[]);
    let rows = vec![("a.service".to_owned(), OwnedObjectPath::try_from("/a").unwrap(), 1u32)];
    let body = to_bytes(Context::new(LE, 0), &rows).unwrap();
    assert_eq!(Answer::of(&header).unwrap().read::<Vec<ListedRow>>(body.to_vec()).unwrap(), rows);
}

#[test]
fn what_is_not_an_answer_is_refused() {
    let mut header = answer(RETURN, Vec::new(), &[]);
    header[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(lengths(&header).is_err(), "too long");
    header[0] = b'B';
    assert!(lengths(&header).is_err(), "another byte order");
    assert!(lengths(b"l\x02").is_err(), "too short");
    assert!(Answer::of(&[b'l'; 20]).is_err());
}

proptest::proptest! {
    #[test]
    fn damaged_answers_do_not_panic(mut bytes: Vec<u8>, at: usize, with: u8) {
        let _ = Answer::of(&bytes);
        let whole = answer(RETURN, vec![(REPLY_TO, Variant::U32(3)), signature("v")], &[]);
        bytes.splice(0..0, whole.iter().copied());
        let place = at % bytes.len();
        bytes[place] = with;
        if let (Ok(_), Ok(answer)) = (lengths(&bytes), Answer::of(&bytes)) {
            let _ = answer.read::<OwnedVariant>(bytes.clone());
            let _ = answer.read::<Vec<(String, OwnedObjectPath, u32)>>(bytes);
        }
    }
}
