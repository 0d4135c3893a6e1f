//! What an import is called as a whole, so that it can be taken back.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
};

use sha2::{Digest as _, Sha256};

use super::{resource::Kind, source::Source};

/// How many bytes of the hash are shown: enough that no two imports of a tenant are called alike.
const SHOWN_BYTES: usize = 8;

/// Names an import by what it imports: the kind, the mapping's text and the bytes of the files. So an import that is
/// repeated, after it was interrupted or for any other reason, has the same name. None if a source cannot be read twice.
///
/// # Errors
/// The name of the source that cannot be read, and why.
pub fn of_content(
    kind: Kind,
    mapping: Option<&str>,
    sources: &[Source],
) -> Result<Option<String>, (String, io::Error)> {
    let mut whole = Sha256::new();
    whole.update(kind.name());
    whole.update(Sha256::digest(mapping.unwrap_or_default()));
    for source in sources {
        match hash(source) {
            Ok(Some(hash)) => whole.update(hash),
            Ok(None) => return Ok(None),
            Err(error) => return Err((source.name(), error)),
        }
    }
    let mut name = format!("{kind}-");
    for byte in whole.finalize().iter().take(SHOWN_BYTES) {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    Ok(Some(name))
}

/// Names an import of which nothing is known beforehand.
pub fn new(kind: Kind) -> String {
    format!("{kind}-{}", uuid::Uuid::now_v7().simple())
}

fn hash(source: &Source) -> io::Result<Option<[u8; 32]>> {
    let mut hash = Sha256::new();
    match source {
        Source::Stdin => return Ok(None),
        Source::Bytes(_, bytes) => hash.update(bytes),
        Source::File(path) => {
            // What is no file, such as a pipe, is read once only.
            if !std::fs::metadata(path)?.is_file() {
                return Ok(None);
            }
            let mut file = File::open(path)?;
            let mut buffer = vec![0; 1 << 18];
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    count => hash.update(&buffer[..count]),
                }
            }
        }
    }
    Ok(Some(hash.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(kind: Kind, mapping: Option<&str>, files: &[&'static [u8]]) -> String {
        let sources: Vec<Source> = files.iter().map(|bytes| Source::Bytes("orders.csv", bytes)).collect();
        of_content(kind, mapping, &sources).expect("readable").expect("readable twice")
    }

    #[test]
    fn an_import_is_named_by_what_it_imports() {
        let name = named(Kind::Orders, None, &[b"a", b"b"]);
        assert_eq!(name, named(Kind::Orders, None, &[b"a", b"b"]));
        assert!(name.starts_with("orders-") && name.len() == "orders-".len() + 16, "{name}");
        for other in [
            named(Kind::Orders, None, &[b"b", b"a"]),
            named(Kind::Orders, None, &[b"ab"]),
            named(Kind::Orders, None, &[b"a", b"b", b""]),
            named(Kind::Orders, Some("[fields]"), &[b"a", b"b"]),
            named(Kind::Feedback, None, &[b"a", b"b"]),
        ] {
            assert_ne!(name, other);
        }
    }

    #[test]
    fn what_is_read_once_has_a_new_name_each_time() {
        assert!(matches!(of_content(Kind::Orders, None, &[Source::Stdin]), Ok(None)));
        assert_ne!(new(Kind::Orders), new(Kind::Orders));
        assert!(new(Kind::Interactions).len() <= 64);
        let absent = of_content(Kind::Orders, None, &[Source::from_argument("/no/such/file.csv")]);
        assert_eq!(absent.expect_err("nothing there").0, "/no/such/file.csv");
    }
}
