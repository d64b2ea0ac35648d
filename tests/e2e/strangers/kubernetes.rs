//! The schemas of Kubernetes, by the package `kubernetes-validate`: every version that is looked after takes what we print.

use std::fs;

use tempfile::TempDir;

use crate::interpreter;
use crate::project::{python, succeed, tool};
use crate::support::vespeiro;

const PACKAGE: &str = "kubernetes-validate==1.37.0";
const VERSIONS: [&str; 5] = ["1.33", "1.34", "1.35", "1.36", "1.37"];

#[test]
fn every_version_of_kubernetes_takes_the_manifests() {
    if !python() {
        return;
    }
    let (program, folder) = (
        interpreter("kubernetes-validate", &[PACKAGE]).with_file_name("kubernetes-validate"),
        TempDir::new().unwrap(),
    );
    let plan = folder.path().join("plan.toml");
    fs::write(folder.path().join("key"), "of-a-file").unwrap();
    let text = "duration = 60\n# a: b\n[secrets]\none = \"ONE\"\ntwo = { file = \"key\" }\n";
    fs::write(&plan, text).unwrap();
    let plan = plan.to_str().unwrap();
    let manifests = folder.path().join("job.yaml");
    for options in [&[][..], &["--claim=load"], &["--in-image=/srv"]] {
        let all = [&["kubernetes", "--shards=3", plan], options].concat();
        fs::write(&manifests, vespeiro(&all).fine().stdout).unwrap();
        for version in VERSIONS {
            let mut check = tool(program.to_str().unwrap());
            succeed(check.args(["--strict", "-k", version]).arg(&manifests));
        }
    }
    // It does look.
    let broken = fs::read_to_string(&manifests)
        .unwrap()
        .replace("parallelism", "paralelism");
    fs::write(&manifests, broken).unwrap();
    let mut check = tool(program.to_str().unwrap());
    assert!(
        !check
            .arg("--strict")
            .arg(&manifests)
            .status()
            .unwrap()
            .success()
    );
}
