//! Nothing is translated that nobody says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// All that is written in Rust below a folder, without tests of their own.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "tests" | "target" | "benches") {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn every_saying_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = vec![root.join("shared/wording/src/words.rs")];
    sources(&root.join("services"), &mut files);
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let is_said = |name: &str| texts.iter().any(|text| text.contains(&format!("tell({name} {{")));
    let unsaid: Vec<&str> = wording::SAYINGS.iter().map(|(name, ..)| *name).filter(|name| !is_said(name)).collect();
    assert!(unsaid.is_empty(), "no service says {unsaid:?}");
}

/// What the providers of signals and messages may rely on: the languages of the contract are those of the messages.
#[test]
fn the_contract_names_every_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let contract = fs::read_to_string(root.join("proto/rapport/assessments/v1/assessments.proto")).unwrap();
    let files = fs::read_dir(root.join("shared/wording/messages")).unwrap();
    let files: BTreeSet<String> =
        files.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let languages: BTreeSet<String> = wording::Language::ALL.iter().map(|of| of.code().to_owned()).collect();
    assert_eq!(files, languages);
    for code in languages.iter().filter(|code| *code != "en") {
        assert!(contract.contains(&format!("(`{code}`)")), "the contract does not name `{code}`");
    }
}
