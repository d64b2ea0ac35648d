//! What is generated from `proto/`, and kept in the repository so that a build needs neither protoc nor the crates that do its
//! work: it is what they make of it now. `GENERATE=1 cargo test -p user-service --test generated` writes it anew.

// clippy.toml lets tests unwrap, but does not take this target's helpers for tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use protox::Compiler;

const PROTO: &str = "users/v1/users.proto";
const FILES: [&str; 2] = ["users.v1.rs", "users.v1.bin"];

fn generate(into: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let mut compiler = Compiler::new([root]).unwrap();
    compiler.include_imports(true).open_file(PROTO).unwrap();
    // For reflection.
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(into.join(FILES[1]), descriptors).unwrap();
    compiler.include_source_info(true);
    prost_build::Config::new()
        .out_dir(into)
        .compile_fds(compiler.file_descriptor_set())
        .unwrap();
}

#[test]
fn what_is_generated_is_what_the_proto_says() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/grpc/generated");
    if std::env::var_os("GENERATE").is_some() {
        generate(&kept);
    }
    let fresh = tempfile::TempDir::new().unwrap();
    generate(fresh.path());
    for file in FILES {
        let (kept, fresh) = (kept.join(file), fresh.path().join(file));
        let same = fs::read(kept).ok() == Some(fs::read(fresh).unwrap());
        assert!(
            same,
            "{file} is not what proto/{PROTO} makes: GENERATE=1 cargo test -p user-service --test generated writes it"
        );
    }
}
