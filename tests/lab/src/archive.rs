//! Writes an image of one layer, as the archive that `docker save` makes and `ctr images import`
//! takes: layer, config and `manifest.json` in a tar.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// Where images look for programs.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What an image has in it. Paths in the image have no slash at their start.
#[derive(Debug)]
pub(crate) enum Content {
    /// A program, for everyone to run.
    Program {
        /// The file on this machine.
        from: PathBuf,
        /// Its path in the image.
        to: &'static str,
    },
    /// All that is in a folder of this machine.
    Tree(PathBuf),
    /// A text file.
    Text {
        /// The text.
        text: &'static str,
        /// Its path in the image.
        to: &'static str,
    },
    /// A symbolic link.
    Link {
        /// Its path in the image.
        to: String,
        /// Where it points.
        target: &'static str,
    },
    /// A folder that everyone can write to.
    Shared(&'static str),
}

/// Names and start of an image.
#[derive(Debug)]
pub(crate) struct Config<'a> {
    /// The name it is pulled by.
    pub(crate) name: &'a str,
    /// What it runs.
    pub(crate) entrypoint: &'a [&'static str],
}

/// Writes an image to `path`.
///
/// # Errors
/// An [`io::Error`] when a file cannot be read or written.
pub(crate) fn write(path: &Path, config: &Config, contents: &[Content]) -> io::Result<()> {
    let layer_path = path.with_added_extension("layer");
    let layer = write_layer(&layer_path, contents)?;
    let config_text = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {"Entrypoint": config.entrypoint, "Env": [PATH]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer}")]},
    });
    let config_text = config_text.to_string();
    let config_name = format!("{}.json", hex(&Sha256::digest(&config_text)));
    let layer_name = format!("{layer}.tar");
    let manifest = json!([
        {"Config": config_name, "RepoTags": [config.name], "Layers": [layer_name]},
    ]);
    let mut archive = Builder::new(File::create(path)?);
    append(&mut archive, &config_name, config_text.as_bytes())?;
    let mut header = header(EntryType::Regular, 0o644);
    header.set_size(fs::metadata(&layer_path)?.len());
    archive.append_data(&mut header, &layer_name, File::open(&layer_path)?)?;
    append(
        &mut archive,
        "manifest.json",
        manifest.to_string().as_bytes(),
    )?;
    archive.into_inner()?.flush()?;
    fs::remove_file(layer_path)
}

/// Writes the layer and returns its SHA-256.
fn write_layer(path: &Path, contents: &[Content]) -> io::Result<String> {
    let file = File::create(path)?;
    let hash = Sha256::new();
    let mut layer = Builder::new(Hashing { file, hash });
    for content in contents {
        match content {
            Content::Program { from, to } => append_file(&mut layer, from, to, 0o755)?,
            Content::Tree(folder) => append_tree(&mut layer, folder, Path::new(""))?,
            Content::Text { text, to } => append(&mut layer, to, text.as_bytes())?,
            Content::Link { to, target } => {
                let mut header = header(EntryType::Symlink, 0o777);
                layer.append_link(&mut header, to, target)?;
            }
            Content::Shared(to) => {
                let mut header = header(EntryType::Directory, 0o1777);
                layer.append_data(&mut header, to, io::empty())?;
            }
        }
    }
    Ok(hex(&layer.into_inner()?.hash.finalize()))
}

fn append_tree<W: Write>(layer: &mut Builder<W>, root: &Path, below: &Path) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(root.join(below))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let to = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            let mut header = header(EntryType::Symlink, 0o777);
            layer.append_link(&mut header, &to, fs::read_link(entry.path())?)?;
        } else if kind.is_dir() {
            let mut header = header(EntryType::Directory, 0o755);
            layer.append_data(&mut header, &to, io::empty())?;
            append_tree(layer, root, &to)?;
        } else {
            let mode = entry.metadata()?.permissions().mode() & 0o777;
            append_file(layer, &entry.path(), &to, mode)?;
        }
    }
    Ok(())
}

fn append_file<W: Write>(
    archive: &mut Builder<W>,
    from: &Path,
    to: impl AsRef<Path>,
    mode: u32,
) -> io::Result<()> {
    let file = File::open(from)?;
    let mut header = header(EntryType::Regular, mode);
    header.set_size(file.metadata()?.len());
    archive.append_data(&mut header, to, file)
}

fn append<W: Write>(archive: &mut Builder<W>, to: &str, data: &[u8]) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644);
    header.set_size(data.len() as u64);
    archive.append_data(&mut header, to, data)
}

/// Returns a header that says nothing about when and by whom.
fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// The machine's architecture as images call it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A file whose SHA-256 is taken as it is written.
struct Hashing {
    file: File,
    hash: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hash.update(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use serde_json::Value;
    use sha2::{Digest, Sha256};
    use tar::Archive;

    use super::{Config, Content, hex, write};

    /// The files of a tar by name, with mode, content or target.
    fn read(data: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut archive = Archive::new(data);
        let mut files = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            if let Some(target) = entry.link_name_bytes() {
                content = target.into_owned();
            }
            files.insert(name, (entry.header().mode().unwrap(), content));
        }
        files
    }

    #[test]
    fn an_archive_has_manifest_config_and_layer_that_agree() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree/usr/lib");
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join("a.so.1"), "library").unwrap();
        symlink("a.so.1", tree.join("a.so")).unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "run").unwrap();
        let contents = [
            Content::Program {
                from: program,
                to: "usr/bin/program",
            },
            Content::Tree(folder.path().join("tree")),
            Content::Shared("tmp"),
        ];
        let config = Config {
            name: "example.org/program:1",
            entrypoint: &["program"],
        };
        let path = folder.path().join("image.tar");
        write(&path, &config, &contents).unwrap();

        let mut data = Vec::new();
        File::open(&path).unwrap().read_to_end(&mut data).unwrap();
        let files = read(&data);
        assert_eq!(files.len(), 3);
        let json = |name: &str| serde_json::from_slice::<Value>(&files[name].1).unwrap();
        let manifest = &json("manifest.json")[0];
        assert_eq!(manifest["RepoTags"][0], "example.org/program:1");
        let config = json(manifest["Config"].as_str().unwrap());
        assert_eq!(config["config"]["Entrypoint"][0], "program");
        let layer = &files[manifest["Layers"][0].as_str().unwrap()].1;
        let digest = format!("sha256:{}", hex(&Sha256::digest(layer)));
        assert_eq!(config["rootfs"]["diff_ids"][0], digest);

        let files = read(layer);
        assert_eq!(files["usr/bin/program"], (0o755, b"run".to_vec()));
        assert_eq!(files["usr/lib/a.so"].1, b"a.so.1");
        assert_eq!(files["usr/lib/a.so.1"].1, b"library");
        assert_eq!(files["tmp"].0, 0o1777);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
