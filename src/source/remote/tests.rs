use super::*;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Answers each request with what `answer` makes of its first line and headers; gives the address.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut request = vec![];
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            // The client may leave before it has read everything.
            let _ = stream.write_all(&answer(std::str::from_utf8(&request).unwrap()));
        }
    });
    format!("http://{address}")
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into()
}

fn to(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()
}

fn fetch(address: &str) -> Result<String, String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let result = runtime.block_on(fetch_values(address));
    result.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    })
}

#[track_caller]
fn check_error(address: &str, expected: &str) {
    assert_eq!(fetch(address).unwrap_err(), expected);
}

#[test]
fn a_file_is_fetched_and_nothing_about_the_user_is_sent() {
    let server = server(|request| {
        let request = request.to_ascii_lowercase();
        let said = ["authorization", "cookie", "referer"];
        assert!(said.iter().all(|word| !request.contains(word)), "{request}");
        match request.split_whitespace().nth(1) {
            Some("/moved") => to("/v.yaml?token=x"),
            _ => ok("a: 1\n"),
        }
    });
    assert_eq!(fetch(&format!("{server}/v.yaml")).as_deref(), Ok("a: 1\n"));
    assert_eq!(fetch(&format!("{server}/moved")).as_deref(), Ok("a: 1\n"));
}

#[test]
fn redirects_have_an_end() {
    let server = server(|_| to("/again"));
    check_error(
        &format!("{server}/v?token=s3cret"),
        &format!("cannot fetch {server}/v: it redirects more than 5 times"),
    );
}

#[test]
fn what_is_too_large_is_not_read_to_its_end() {
    let endless = server(|_| {
        let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        answer.resize(MAX_VALUES + (1 << 20), b'#');
        answer
    });
    check_error(&endless, &format!("{endless}/ is larger than 16 MiB"));
    let bytes = server(|_| {
        let mut answer = ok("ab");
        answer.splice(answer.len() - 2.., [0xff, 0xfe]);
        answer
    });
    check_error(&bytes, &format!("{bytes}/ is not UTF-8 text"));
}

#[test]
fn failures_say_why_and_show_no_secret() {
    let missing = server(|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    check_error(
        &format!("{missing}/v?sig=s3cret"),
        &format!("cannot fetch {missing}/v: the server says 404 Not Found"),
    );
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = fetch(&format!("http://{refused}/v")).unwrap_err();
    assert!(error.contains("refused"), "{error}");
    check_error(
        "https://user:s3cret@example.com/v",
        "cannot fetch https://example.com/v: addresses with a user or password are not fetched; \
         fetch the file yourself and give it with -f -",
    );
    check_error("http://", "cannot fetch http://: empty host");
}

#[track_caller]
fn check_redirect(from: &str, next: &str, expected: Result<(), &str>) {
    let url = |text: &str| Url::parse(text).unwrap();
    assert_eq!(redirect(Some(&url(from)), &url(next), 1), expected);
}

#[test]
fn https_is_never_left() {
    check_redirect("https://a/", "https://b/", Ok(()));
    check_redirect("http://a/", "https://b/", Ok(()));
    check_redirect("http://a/", "http://b/", Ok(()));
    check_redirect(
        "https://a/",
        "http://a/",
        Err("it redirects from https to http"),
    );
    assert!(redirect(None, &Url::parse("https://u@a/").unwrap(), 1).is_err());
}

#[test]
fn what_can_be_secret_is_not_shown() {
    for (given, expected) in [
        ("https://u:p@h/v.yaml?token=x#y", "https://h/v.yaml"),
        ("https://h:99999/v?token=x", "https://h:99999/v"),
        ("./a?b#c.yaml", "./a?b#c.yaml"),
    ] {
        assert_eq!(shown(given), expected);
    }
}

#[test]
fn addresses_are_told_from_paths() {
    for address in ["http://h/v", "https://h", "HTTPS://h/v.yaml"] {
        assert!(is_address(address), "{address}");
    }
    for path in ["v.yaml", "http:/v", "s3://bucket/v", "./https/v"] {
        assert!(!is_address(path), "{path}");
    }
}
