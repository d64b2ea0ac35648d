//! Links of an OpenAPI document: a value of an answer goes where the document says, also where no name would tell.

use tempfile::TempDir;

use crate::import::{LANGUAGES, import, play, shop};

#[test]
fn an_answers_links_are_followed() {
    for language in LANGUAGES {
        let (server, log) = shop();
        let folder = TempDir::new().unwrap();
        let document = folder.path().join("orders.yaml");
        std::fs::write(&document, include_str!("documents/orders.openapi.yaml")).unwrap();
        let base = format!("{}/v1", server.url);
        let options = ["--base-url", &base, "--lang", language];
        import(&folder, document.to_str().unwrap(), &options).fine();
        play(&folder);
        let log = log.lock().unwrap();
        let lines: Vec<_> = log.iter().map(|got| got.line.as_str()).collect();
        // Two sessions; the shop numbers what is made by how much it was asked, from 1000 on.
        let session = |number: u32| {
            let told = [
                "POST /v1/orders".to_owned(),
                format!("GET /v1/search?order={number}"),
            ];
            [&told[..], &[format!("GET /v1/receipts/{number}")]].concat()
        };
        assert_eq!(lines, [session(1000), session(1003)].concat(), "{language}");
    }
}
