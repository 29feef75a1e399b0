//! Archives that mean harm. Which entries are refused is tested beside `chart::archive`; here it is
//! that the binary refuses with them, and takes no memory.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::{CHART, Trap};

const TEMPLATE: &[&str] = &["template", "web", "./small.tgz"];

fn header(name: &str, kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

/// An archive of a good chart and what `add` adds.
fn archive(add: impl FnOnce(&mut Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    let chart = header("small/Chart.yaml", EntryType::Regular, CHART.len());
    tar.append(&chart, CHART.as_bytes()).unwrap();
    add(&mut tar);
    tar.into_inner().unwrap().finish().unwrap()
}

#[track_caller]
fn check(archive: Vec<u8>, part: &str) {
    let trap = Trap::new().with("small.tgz", archive);
    trap.refuses(TEMPLATE, part);
    trap.refuses(&["lint", "./small.tgz"], part);
    trap.refuses(&["show", "chart", "./small.tgz"], part);
}

#[track_caller]
fn check_entry(name: &str, kind: EntryType, part: &str) {
    check(
        archive(|tar| tar.append(&header(name, kind, 0), &[][..]).unwrap()),
        part,
    );
}

#[test]
fn a_good_archive_is_taken() {
    let trap = Trap::new().with("small.tgz", archive(|_| ()));
    trap.does(TEMPLATE);
    trap.does(&["show", "chart", "./small.tgz"]);
}

#[test]
fn entries_that_lead_elsewhere() {
    check_entry(
        "small/../../secret",
        EntryType::Regular,
        "has .. in its path",
    );
    check_entry("/etc/passwd", EntryType::Regular, "has an absolute path");
    check_entry("small/a", EntryType::Symlink, "is a link");
    check_entry("small/a", EntryType::Link, "is a link");
    check_entry("small/a", EntryType::Char, "is neither a file nor a folder");
    check_entry(
        "small/\u{1b}[2J",
        EntryType::Regular,
        "has a path that no chart can have",
    );
    check_entry(
        "\u{1b}[2J",
        EntryType::Regular,
        "is not in the folder of the chart",
    );
}

#[test]
fn archives_that_explode() {
    let zeros = vec![0; 4 << 20];
    let bomb = archive(|tar| {
        for at in 0..25 {
            let header = header(&format!("small/{at}"), EntryType::Regular, zeros.len());
            tar.append(&header, &zeros[..]).unwrap();
        }
    });
    check(bomb, "it unpacks to more than 200 times its size");
    let mut half = GzEncoder::new(Vec::new(), Compression::fast());
    half.write_all(&zeros).unwrap();
    check(half.finish().unwrap(), "it is empty");
    check(vec![0; 4096], "it is no gzipped tar, or is damaged");
    check(
        archive(|_| ())[..60].to_vec(),
        "it is no gzipped tar, or is damaged",
    );
    check(Vec::new(), "it is no gzipped tar, or is damaged");
}
