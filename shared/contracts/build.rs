//! Compiles `proto/` with protox: a clone needs cargo and no protoc.

use std::{env, error::Error, fs, path::PathBuf};

use prost_types::FileDescriptorSet;
use protox::prost::Message;

const FILES: [&str; 12] = [
    "rapport/common/v1/analysis.proto",
    "rapport/common/v1/error_reason.proto",
    "rapport/common/v1/feed.proto",
    "rapport/common/v1/money.proto",
    "rapport/common/v1/party.proto",
    "rapport/accounts/v1/accounts.proto",
    "rapport/orders/v1/orders.proto",
    "rapport/interactions/v1/interactions.proto",
    "rapport/feedback/v1/feedback.proto",
    "rapport/assessments/v1/assessments.proto",
    "rapport/predictions/v1/predictions.proto",
    "rapport/voice/v1/voice.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", proto.display());

    let mut compiler = protox::Compiler::new([&proto])?;
    compiler.include_source_info(true).include_imports(true).open_files(FILES)?;
    let set: FileDescriptorSet = compiler.file_descriptor_set();

    tonic_prost_build::configure().build_transport(false).compile_fds(set)?;

    // What reflection serves and the command line reads: the same set without comments, which nothing reads at run time.
    let mut bare = compiler.file_descriptor_set();
    for file in &mut bare.file {
        file.source_code_info = None;
    }
    let path = PathBuf::from(env::var("OUT_DIR")?).join("rapport.binpb");
    fs::write(path, bare.encode_to_vec())?;
    Ok(())
}
