//! The pages for those who come from another tool: what they say to type works as it stands.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{Service, command};

/// The code blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let begun = page.split(&opening).skip(1);
    begun.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn what_the_pages_for_newcomers_say_to_type_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let binary = Path::new(env!("CARGO_BIN_EXE_vespeiro"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
    for name in ["docs/from-k6.md", "docs/from-locust.md"] {
        let page = fs::read_to_string(root.join(name)).unwrap();
        let (service, folder) = (Service::start(), TempDir::new().unwrap());
        // Each file is called as its first line says.
        for (language, mark) in [("toml", "# "), ("js", "// ")] {
            for file in blocks(&page, language) {
                let called = file.lines().next().unwrap().strip_prefix(mark).unwrap();
                fs::write(folder.path().join(called), file).unwrap();
            }
        }
        let lines = blocks(&page, "sh").concat().replace("\\\n", " ");
        let lines = lines.replace("http://127.0.0.1:9501", &service.url);
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines.len() >= 3, "{name}");
        for line in lines {
            let ended = command("sh")
                .args(["-c", line])
                .env("PATH", &path)
                .env("XDG_STATE_HOME", folder.path())
                .current_dir(folder.path())
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "{name}: {line}: {told}");
        }
        // Each link leads somewhere.
        for link in page.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            assert!(root.join("docs").join(link).exists(), "{name}: {link}");
        }
        assert!(service.answered_at_all() > 20, "{name}");
    }
}
