//! Holds the shape of the tree: which crates there are, and which way the arrows between them go.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

/// Reads the manifest of the workspace and those of its members, by folder.
fn manifests() -> (Table, BTreeMap<String, Table>) {
    let workspace = manifest(&root());
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members = members.iter().map(|folder| folder.as_str().unwrap());
    let manifests = members.map(|folder| (folder.to_owned(), manifest(&root().join(folder)))).collect();
    (workspace, manifests)
}

fn manifest(folder: &Path) -> Table {
    fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// How high a crate stands. Arrows go down only: `tests → rapport → services/* → shared/relay → shared/methods → the leaves of
/// shared`.
fn height(folder: &str) -> u8 {
    match folder {
        "tests" => 5,
        "services/rapport" => 4,
        "shared/relay" => 2,
        "shared/methods" => 1,
        _ if folder.starts_with("services/") => 3,
        _ if folder.starts_with("shared/") => 0,
        _ => panic!("`{folder}` has no place in the tree"),
    }
}

/// Everything that a crate depends on, to be built, to run or to be tested, on any platform.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let mut found = Vec::new();
    for table in platforms.chain([manifest]) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            found.extend(table.get(kind).and_then(Value::as_table).into_iter().flatten());
        }
    }
    found
}

#[test]
fn arrows_between_crates_go_down() {
    let (_, manifests) = manifests();
    let folders: BTreeMap<&str, &str> = manifests
        .iter()
        .map(|(folder, manifest)| (manifest["package"]["name"].as_str().unwrap(), folder.as_str()))
        .collect();
    let mut turned = Vec::new();
    for (folder, manifest) in &manifests {
        for (dependency, _) in dependencies(manifest) {
            // A crate that tests itself with its own support for tests is no arrow.
            if let Some(other) = folders.get(dependency.as_str())
                && *other != folder.as_str()
                && height(other) >= height(folder)
            {
                turned.push(format!("{folder} → {other}"));
            }
        }
    }
    assert!(turned.is_empty(), "{turned:#?}");
}

#[test]
fn every_crate_is_a_member_and_looks_the_same() {
    let (workspace, manifests) = manifests();
    assert_eq!(workspace["workspace"]["package"]["version"].as_str(), Some("0.0.0"));
    let mut wrong = Vec::new();
    for (folder, manifest) in &manifests {
        let mut expect = |told: bool, rule: &str| {
            if !told {
                wrong.push(format!("{folder}: {rule}"));
            }
        };
        let package = &manifest["package"];
        expect(folder.rsplit('/').next() == package["name"].as_str(), "the folder's name is the crate's name");
        expect(package.get("description").is_some(), "the crate says what it is for");
        for field in ["version", "edition", "rust-version", "license", "publish"] {
            expect(is_inherited(package.get(field)), &format!("`{field}` is the workspace's"));
        }
        expect(is_inherited(manifest.get("lints")), "its lints are the workspace's");
        for (dependency, value) in dependencies(manifest) {
            expect(is_inherited(Some(value)), &format!("the version of `{dependency}` is the workspace's"));
        }
    }
    for parent in ["shared", "services"] {
        for entry in fs::read_dir(root().join(parent)).unwrap() {
            let folder = format!("{parent}/{}", entry.unwrap().file_name().display());
            if root().join(&folder).join("Cargo.toml").exists() && !manifests.contains_key(&folder) {
                wrong.push(format!("{folder}: it is a member of the workspace"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}
