//! The pages for newcomers: what they say to type works as it stands. And the book: every page is in it, every link leads
//! somewhere.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::{Service, command};

/// The code blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let begun = page.split(&opening).skip(1);
    begun.filter_map(|rest| rest.split("```").next()).collect()
}

/// Type what a page says to type.
#[track_caller]
fn works_as_it_stands(name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let binary = Path::new(env!("CARGO_BIN_EXE_vespeiro"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
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
    assert!(service.answered_at_all() > 20, "{name}");
}

#[test]
fn the_page_for_those_who_know_k6_works() {
    works_as_it_stands("docs/from-k6.md");
}

#[test]
fn the_page_for_those_who_know_locust_works() {
    works_as_it_stands("docs/from-locust.md");
}

#[test]
fn the_page_of_the_user_service_works() {
    works_as_it_stands("docs/user-service.md");
}

#[test]
fn the_tutorial_works() {
    works_as_it_stands("docs/tutorial.md");
}

/// Where the links of a page lead, but for those to other sites.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let prose = page.split("```").step_by(2);
    let links = prose.flat_map(|text| text.split("](").skip(1));
    let links = links.filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.contains("://"))
}

/// The name that a heading can be linked by.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = root.join("host/docs");
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let summary = read(&docs.join("SUMMARY.md"));
    let mut pages: Vec<_> = ["README.md", "guest-sdk/README.md", "host/ARCHITECTURE.md"]
        .map(|page| root.join(page))
        .into();
    for folder in ["", TRANSLATED] {
        for entry in fs::read_dir(docs.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                let name = path.strip_prefix(&docs).unwrap().to_str().unwrap();
                let listed = name == "SUMMARY.md" || summary.contains(&format!("({name})"));
                assert!(listed, "{name} is not in host/docs/SUMMARY.md");
                pages.push(path);
            }
        }
    }
    for page in pages {
        let text = read(&page);
        for link in links(&text) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let to = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(to.exists(), "{}: {link}", page.display());
            let target = read(&to);
            let headings = target.lines().filter(|line| line.starts_with('#'));
            let found = place.is_empty() || headings.map(anchor).any(|known| known == place);
            assert!(found, "{}: {link}", page.display());
        }
    }
}

/// Where the pages in Portuguese are.
const TRANSLATED: &str = "pt-BR/";

/// Each translation names its page, and the digest of the text that it was made of. Commands and scripts stay as they are.
#[test]
fn no_translation_is_behind_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(TRANSLATED);
    for name in ["README.md", "tutorial.md"] {
        let translation = fs::read_to_string(folder.join(name)).unwrap();
        let mark = translation.lines().next().unwrap();
        let mark = mark.strip_prefix("<!-- translates ").unwrap();
        let (original, digest) = mark.trim_end_matches(" -->").split_once(" @ ").unwrap();
        let text = fs::read_to_string(folder.join(original)).unwrap();
        let is: String = Sha256::digest(&text)
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            digest, is,
            "{TRANSLATED}{name} is behind {original}: translate what has changed, then write @ {is} into its first line"
        );
        for language in ["sh", "js"] {
            assert_eq!(
                blocks(&translation, language),
                blocks(&text, language),
                "{name}"
            );
        }
    }
}
