use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;

const YAML: &[u8] = b"apiVersion: v2\nname: kcp\nversion: 1.0.0\n";

/// One entry, as raw bytes of a tar.
fn raw(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::new(kind));
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend_from_slice(data);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn file(name: &str, data: &[u8]) -> Vec<u8> {
    raw(name.as_bytes(), b'0', data)
}

/// A record of `key` and `value` before an entry, which counts its own length.
fn pax(kind: u8, key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (1..9).find(|digits| (rest + digits).to_string().len() == *digits);
    let mut data = format!("{} {key}=", rest + length.unwrap()).into_bytes();
    data.extend_from_slice(value);
    data.push(b'\n');
    raw(b"PaxHeaders/x", kind, &data)
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

fn tgz(entries: &[Vec<u8>]) -> Vec<u8> {
    gzip(&tar(entries))
}

/// The paths of what is unpacked, or the error with its cause.
fn paths(archive: &[u8], limits: Limits) -> Result<Vec<String>, String> {
    match unpack_within(archive, limits) {
        Ok(files) => Ok(files.into_iter().map(|file| file.path).collect()),
        Err(error) => Err(match std::error::Error::source(&error) {
            None => error.to_string(),
            Some(cause) => format!("{error}: {cause}"),
        }),
    }
}

#[track_caller]
fn check(entries: &[Vec<u8>], expected: Result<&[&str], &str>) {
    check_bytes(&tgz(entries), expected);
}

#[track_caller]
fn check_bytes(archive: &[u8], expected: Result<&[&str], &str>) {
    let found = paths(archive, LIMITS);
    match expected {
        Ok(expected) => assert_eq!(found.unwrap(), expected),
        Err(expected) => assert_eq!(found.unwrap_err(), expected),
    }
}

/// Refused as the only entry behind a good one.
#[track_caller]
fn check_entry(entry: Vec<u8>, expected: &str) {
    check(&[file("kcp/Chart.yaml", YAML), entry], Err(expected));
}

#[test]
fn files_lose_the_folder_of_the_archive() {
    let archive = tgz(&[
        raw(b"kcp/", b'5', b""),
        file("kcp/Chart.yaml", YAML),
        file("kcp/templates/a.yaml", b"a"),
        raw(b"kcp/charts/", b'5', b""),
        file("kcp/charts/etcd/Chart.yaml", b"b"),
    ]);
    let files = unpack(&archive[..]).unwrap();
    let found: Vec<_> = files
        .iter()
        .map(|file| (&*file.path, &*file.data))
        .collect();
    assert_eq!(
        found,
        [
            ("Chart.yaml", YAML),
            ("templates/a.yaml", b"a"),
            ("charts/etcd/Chart.yaml", b"b"),
        ],
    );
}

#[test]
fn tars_of_other_tools_are_read() {
    check(&[file("./Chart.yaml", YAML)], Ok(&["Chart.yaml"]));
    check(&[file("kcp/./a//b", b"")], Ok(&["a/b"]));
    check(
        &[file("kcp\\templates\\a.yaml", b"")],
        Ok(&["templates/a.yaml"]),
    );
    check(&[raw(b"kcp/a", 0, b"of before POSIX")], Ok(&["a"]));
    check(&[raw(b"kcp/old/", 0, b""), file("kcp/a", b"")], Ok(&["a"]));
    let comment = pax(b'g', "comment", b"of git archive");
    check(&[comment, file("kcp/a", b"")], Ok(&["a"]));
    let long = format!("kcp/{}", "n".repeat(200));
    let named = pax(b'x', "path", long.as_bytes());
    check(&[named, file("kcp/n", b"")], Ok(&[&long[4..]]));
    let named = raw(b"././@LongLink", b'L', format!("{long}\0").as_bytes());
    check(&[named, file("kcp/n", b"")], Ok(&[&long[4..]]));
    let time = pax(b'x', "mtime", b"1.5");
    check(&[time, file("kcp/a", b"")], Ok(&["a"]));
}

#[test]
fn members_of_gzip_are_one_stream() {
    let tar = tar(&[file("kcp/Chart.yaml", YAML), file("kcp/a", b"a")]);
    let halves = [gzip(&tar[..700]), gzip(&tar[700..])].concat();
    check_bytes(&halves, Ok(&["Chart.yaml", "a"]));
}

#[test]
fn paths_stay_below_the_folder() {
    for (name, problem) in [
        ("/etc/passwd", "has an absolute path"),
        ("\\etc\\passwd", "has an absolute path"),
        ("C:/kcp/a", "has an absolute path"),
        ("C:\\kcp\\a", "has an absolute path"),
        ("../kcp/a", "has .. in its path"),
        ("kcp/../a", "has .. in its path"),
        ("kcp/..", "has .. in its path"),
        ("kcp\\..\\..\\a", "has .. in its path"),
        ("kcp/a\\..\\..\\..\\b", "has .. in its path"),
        ("kcp/C:/a", "has a path that no chart can have"),
        ("kcp/a\u{1b}[2Jb", "has a path that no chart can have"),
        ("kcp/a\nb", "has a path that no chart can have"),
        ("Chart.yaml", "is not in the folder of the chart"),
        ("kcp", "is not in the folder of the chart"),
        ("", "is not in the folder of the chart"),
        ("other/a", "is in another folder than what is before it"),
        ("./a", "is in another folder than what is before it"),
        ("kcp/Chart.yaml", "is there twice"),
        ("kcp/./Chart.yaml", "is there twice"),
        ("kcp\\Chart.yaml", "is there twice"),
    ] {
        check_entry(file(name, b""), &format!("{name:?} {problem}"));
    }
    check(
        &[file("Chart.yaml", YAML)],
        Err("\"Chart.yaml\" is not in the folder of the chart"),
    );
    check_entry(
        raw(b"kcp/\xff", b'0', b""),
        "\"kcp/\u{fffd}\" has a name that is not UTF-8",
    );
    let named = pax(b'x', "path", b"kcp/../../a");
    check(
        &[named, file("kcp/a", b"")],
        Err("\"kcp/../../a\" has .. in its path"),
    );
    let named = pax(b'x', "path", b"kcp/a\0b");
    check(
        &[named, file("kcp/a", b"")],
        Err("\"kcp/a\\0b\" has a path that no chart can have"),
    );
}

#[test]
fn only_files_and_folders_are_taken() {
    for (kind, problem) in [
        (b'1', "is a link"),
        (b'2', "is a link"),
        (b'K', "is a link"),
        (b'3', "is neither a file nor a folder"),
        (b'4', "is neither a file nor a folder"),
        (b'6', "is neither a file nor a folder"),
        (b'V', "is neither a file nor a folder"),
        (b'M', "is neither a file nor a folder"),
    ] {
        check_entry(raw(b"kcp/a", kind, b""), &format!("\"kcp/a\" {problem}"));
    }
    let sparse = pax(b'x', "GNU.sparse.major", b"1");
    check_entry(sparse, "\"kcp/Chart.yaml\" is followed by a sparse file");
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..5].copy_from_slice(b"kcp/a");
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(0);
    header.set_cksum();
    check_entry(header.as_bytes().to_vec(), "\"kcp/a\" is a sparse file");
}

#[test]
fn records_say_little_and_nothing_else() {
    let sized = pax(b'x', "size", b"1000");
    check(
        &[sized, file("kcp/a", b"four")],
        Err("\"kcp/a\" has two sizes"),
    );
    let sized = pax(b'x', "size", b"4");
    check(&[sized, file("kcp/a", b"four")], Ok(&["a"]));
    let sized = pax(b'x', "size", b"-1");
    check(&[sized, file("kcp/a", b"")], Err("\"kcp/a\" has two sizes"));
    let large = vec![b'n'; MAX_RECORDS + 1];
    for kind in [b'x', b'g', b'L'] {
        check_entry(
            raw(b"kcp/a", kind, &large),
            "the records after \"kcp/Chart.yaml\" are larger than 64 KiB",
        );
    }
    let broken = raw(b"PaxHeaders/x", b'x', b"99 path=kcp/a\n");
    check_entry(
        broken,
        "it is no gzipped tar, or is damaged (at \"kcp/Chart.yaml\"): malformed pax extension",
    );
    let long = format!("kcp/{}", "n".repeat(5000));
    let beginning = format!("kcp/{}…", "n".repeat(96));
    check(
        &[pax(b'x', "path", long.as_bytes()), file("kcp/n", b"")],
        Err(&format!("{beginning:?} has a name of more than 4096 bytes")),
    );
}

#[test]
fn an_archive_is_whole() {
    check(&[], Err("it is empty"));
    check(&[raw(b"kcp/", b'5', b"")], Err("it is empty"));
    let good = [file("kcp/Chart.yaml", YAML), file("kcp/a", b"a")];
    let archive = tgz(&good);
    for length in 0..archive.len() {
        let error = paths(&archive[..length], LIMITS).unwrap_err();
        let is_told = error.starts_with("it is no gzipped tar, or is damaged");
        assert!(is_told, "{length}: {error}");
    }
    let tar = tar(&good);
    check_bytes(
        &gzip(&tar[..1600]),
        Err("it is no gzipped tar, or is damaged (at \"kcp/a\"): unexpected EOF during skip"),
    );
    check_bytes(
        &gzip(&[&tar[..], b"more"].concat()),
        Err("something other than zeros stands behind its last entry (at \"kcp/a\")"),
    );
    check_bytes(
        &[&archive[..], b"more than a header"].concat(),
        Err("it is no gzipped tar, or is damaged (at \"kcp/a\"): invalid gzip header"),
    );
    check_bytes(
        b"PK\x03\x04 of another kind",
        Err("it is no gzipped tar, or is damaged: invalid gzip header"),
    );
    let mut wrong = tar.clone();
    wrong[0] = b'K';
    check_bytes(
        &gzip(&wrong),
        Err("it is no gzipped tar, or is damaged: archive header checksum mismatch"),
    );
    // Padding to the blocks of a tape.
    check_bytes(
        &gzip(&[&tar[..], &[0; 8192]].concat()),
        Ok(&["Chart.yaml", "a"]),
    );
}

#[track_caller]
fn check_within(entries: &[Vec<u8>], limits: Limits, expected: &str) {
    assert_eq!(paths(&tgz(entries), limits).unwrap_err(), expected);
}

#[test]
fn limits_hold() {
    let small = Limits {
        file: 1 << 20,
        total: 3 << 20,
        entries: 5,
        ..LIMITS
    };
    let large = vec![0; (1 << 20) + 1];
    check_within(
        &[file("kcp/a", &large)],
        small,
        "\"kcp/a\" is larger than 1 MiB",
    );
    let full = vec![0; 1 << 20];
    let names = ["kcp/a", "kcp/b", "kcp/c", "kcp/d", "kcp/e", "kcp/f"];
    let of = |count: usize, data: &[u8]| -> Vec<_> {
        names[..count].iter().map(|name| file(name, data)).collect()
    };
    assert_eq!(paths(&tgz(&of(3, &full)), small).unwrap().len(), 3);
    check_within(
        &of(4, &full),
        small,
        "it has more than 3 MiB (at \"kcp/d\")",
    );
    assert_eq!(paths(&tgz(&of(5, b"")), small).unwrap().len(), 5);
    check_within(
        &of(6, b""),
        small,
        "it has more than 5 entries (at \"kcp/f\")",
    );
    let records: Vec<_> = (0..6).map(|_| pax(b'g', "comment", b"a")).collect();
    check_within(&records, small, "it has more than 5 entries");
    let narrow = Limits {
        ratio_from: 100 << 10,
        ..small
    };
    check_within(
        &of(1, &full),
        narrow,
        "it unpacks to more than 200 times its size (at \"kcp/a\")",
    );
    let random: Vec<u8> = (0..1_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert!(paths(&tgz(&of(1, &random)), narrow).is_ok());
}

#[test]
fn what_unpacks_to_nothing_is_limited_too() {
    let limits = Limits {
        total: 1 << 20,
        ..LIMITS
    };
    let folder = raw(b"kcp/", b'5', &vec![1; 40 << 20]);
    let error = paths(&tgz(&[folder]), limits).unwrap_err();
    assert_eq!(
        error,
        "it unpacks to more than 200 times its size (at \"kcp/\")"
    );
    let free = Limits {
        ratio: u64::MAX,
        ..limits
    };
    let folder = raw(b"kcp/", b'5', &vec![1; 40 << 20]);
    let error = paths(&tgz(&[folder]), free).unwrap_err();
    assert_eq!(error, "it has more than 1 MiB (at \"kcp/\")");
    let members = gzip(b"").repeat((1 << 20) / 20 + 1);
    let error = paths(&members, limits).unwrap_err();
    assert_eq!(error, "it has more than 1 MiB");
}

/// A size that no memory could hold costs no memory.
#[test]
fn sizes_are_not_believed() {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..5].copy_from_slice(b"kcp/a");
    header.set_size(1 << 62);
    header.set_cksum();
    check(
        &[header.as_bytes().to_vec()],
        Err("it is no gzipped tar, or is damaged (at \"kcp/a\"): unexpected EOF during skip"),
    );
    header.set_size(u64::MAX);
    header.set_cksum();
    check(
        &[header.as_bytes().to_vec()],
        Err("it is no gzipped tar, or is damaged: size overflow"),
    );
}

proptest! {
    /// Bytes of any kind make files with good paths or an error, and nothing else.
    #[test]
    fn damage_is_told(at in 0..2048_usize, byte: u8, cut in 1..2048_usize) {
        let mut tar = tar(&[file("kcp/Chart.yaml", YAML), file("kcp/a", b"a")]);
        tar[at] = byte;
        tar.truncate(cut.max(at));
        if let Ok(files) = unpack(&gzip(&tar)[..]) {
            for file in files {
                prop_assert!(crate::chart::load::path_problem(&file.path).is_none());
            }
        }
    }

    #[test]
    fn names_never_leave_the_chart(name in r"[a./\\:C]{0,12}") {
        if let Ok(files) = unpack(&tgz(&[file(&name, b"")])[..]) {
            for file in files {
                prop_assert!(crate::chart::load::path_problem(&file.path).is_none());
            }
        }
    }
}
