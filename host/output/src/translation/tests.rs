//! Tests of translating: what stands in the table, and that nothing that people read is missing from it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::*;

/// Files whose texts people do not read, or read elsewhere: what other programs read, pages, figures, and what is written
/// into files.
const ELSEWHERE: &[&str] = &[
    "cli/src/help.rs",
    "cli/src/kubernetes/manifests.rs",
    "cli/src/slurm/script.rs",
    "engine/src/vu/identity.rs",
    "import/src/journey.rs",
    "import/src/project.rs",
    "import/src/script.rs",
    "output/src/dashboard",
    "output/src/html",
    "output/src/junit.rs",
    "output/src/page",
    "output/src/prometheus.rs",
    "output/src/push/otlp.rs",
    "output/src/summary",
    "output/src/words.rs",
    "plan/src/schema.rs",
    "server/src/control.rs",
    "server/src/ui.rs",
];

/// What libraries say or ask for, what scripts read, and what is said where there is no memory for a translation.
const OF_OTHERS: &[&str] = &[
    "For more information",
    "cannot allocate memory",
    "cd {name}",
    "cd {name} && ./build    # {needs}",
    "control: http://{}",
    "error: vespeiro takes {} MiB of addresses to begin with, and {} MiB are allowed (ulimit -v): allow more",
    "failed to allocate",
    "failed to convert",
    "metrics at http://{}/metrics",
    "os error 12",
    "out of memory",
    "remote write",
    "the run has not begun yet\n",
    "this answers to localhost and to IP addresses alone, and to no web page\n",
    "ui: http://{}",
    "{about}\n\n    {build}\n    vespeiro run --base-url http://127.0.0.1:9501 --users 5 --duration 10s --archetype {plays}={module}\n",
    "{told}\n    vespeiro run --plan {shown}/plan.toml\n",
    "{} = false",
];

fn pt(text: &str) -> String {
    translated(text, Language::Portuguese)
}

#[test]
fn a_line_is_put_into_portuguese_with_what_fills_it() {
    assert_eq!(
        pt("users (--users): \"x\" is no whole number; give 1 to 10"),
        "users (--users): \"x\" não é um número inteiro; dê de 1 a 10"
    );
    assert_eq!(
        pt("rate (--rate): \"zz\" is no rate; write it as 500/s, 90/m or 500; at most 9/s"),
        "rate (--rate): \"zz\" não é uma taxa; escreva assim: 500/s, 90/m ou 500; no máximo 9/s"
    );
    assert_eq!(
        pt(
            "the target http://x does not answer: x:80 refused the connection: nothing listens there: start the service, or check --base-url"
        ),
        "o alvo http://x não responde: x:80 recusou a conexão: nada escuta lá: inicie o serviço, ou confira --base-url"
    );
    assert_eq!(
        pt("swap of admin: 0123 -> 4567 for 12.5% of the new sessions"),
        "troca de admin: 0123 -> 4567 para 12,5% das novas sessões"
    );
    assert_eq!(
        pt(
            "user-007 active GET /users/{id} -> 404 (1.5 ms, 127.0.0.1:80, new connection, expected)"
        ),
        "user-007 active GET /users/{id} -> 404 (1,5 ms, 127.0.0.1:80, conexão nova, esperada)"
    );
    assert_eq!(
        pt("cleanup: 3 things to remove, 1 session to log out; Ctrl-C twice skips it"),
        "limpeza: 3 coisas a remover, 1 sessão a encerrar com logout; Ctrl-C duas vezes a pula"
    );
    assert_eq!(
        pt(
            "users (--users): 5 is out of range; give 1 to 3\nrun_id (--run-id): \"x\" is no run id; ask somebody"
        ),
        "users (--users): 5 está fora da faixa; dê de 1 a 3\nrun_id (--run-id): \"x\" não é um id de execução; ask somebody"
    );
    // Who says it has put it into the language already, or it is not ours.
    assert_eq!(pt("error: cleanup: skipped"), "erro: cleanup: skipped");
    assert_eq!(pt("left: 3 things"), "deixado: 3 things");
    assert_eq!(
        pt("check \"3 things\": passed"),
        "verificação \"3 things\": passou"
    );
    assert_eq!(
        translated("cleanup: skipped", Language::English),
        "cleanup: skipped"
    );
}

#[test]
fn what_is_not_ours_stays_as_it_is() {
    for text in [
        "abandoned",
        "No route to host (os error 113)",
        "control: http://127.0.0.1:7070",
        "a guest's line about 3 sessions or 4 things",
        "{",
        "",
    ] {
        assert_eq!(pt(text), text);
    }
    assert_eq!(
        pt("10.0.0.1:80 cannot be connected to: No route to host (os error 113)"),
        "não é possível conectar a 10.0.0.1:80: No route to host (os error 113)"
    );
}

#[test]
fn both_languages_have_the_same_holes() {
    let table: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(include_str!("../pt-BR.toml")).unwrap();
    assert!(table.len() > 5 && TABLE.len() > 500);
    for message in TABLE.iter() {
        let holes = |pattern: &Pattern| {
            let mut holes = pattern.holes.clone();
            holes.sort();
            holes.dedup();
            holes
        };
        let (english, portuguese) = (&message.english, &message.portuguese);
        assert_eq!(holes(english), holes(portuguese), "{english:?}");
        assert!(portuguese.own() > 0, "{english:?}");
    }
}

const ROOMS: [&str; 9] = [
    "behavior", "cli", "engine", "http", "import", "output", "plan", "server", "summary",
];

/// Each literal of the sources that reads like a sentence stands in the table.
#[test]
fn no_text_lacks_a_translation() {
    let mut missing = Vec::new();
    let mut seen = 0;
    for room in ROOMS {
        for (name, texts) in written(room) {
            if ELSEWHERE.iter().any(|folder| name.starts_with(folder)) {
                continue;
            }
            let texts: Vec<String> = texts.into_iter().filter(|text| is_prose(text)).collect();
            seen += texts.len();
            let lacks = |text: &&String| {
                let known = TABLE
                    .iter()
                    .any(|m| m.english == Pattern::new(text.trim_end_matches('\n')));
                let stands_alone = FILE[WORDS].contains_key(text.as_str());
                !known && !stands_alone && !OF_OTHERS.contains(&text.as_str())
            };
            missing.extend(
                texts
                    .iter()
                    .filter(lacks)
                    .map(|text| format!("{name}: {text:?}")),
            );
        }
    }
    assert!(seen > 700, "{seen}");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Help comes from comments too, and some words from libraries: those stand apart.
#[test]
fn no_translation_is_of_a_text_that_is_gone() {
    let table: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(include_str!("../pt-BR.toml")).unwrap();
    let texts = ROOMS.iter().flat_map(|room| written(room));
    let texts: BTreeSet<String> = texts.flat_map(|(_, texts)| texts).collect();
    let known = texts.iter().map(|text| text.trim_end_matches('\n'));
    let known: BTreeSet<&str> = known.collect();
    let rooms = table
        .iter()
        .filter(|(room, _)| ROOMS.contains(&room.as_str()));
    let gone = rooms.flat_map(|(_, texts)| texts.keys());
    let gone: Vec<&String> = gone.filter(|text| !known.contains(text.as_str())).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

/// The files of a room, and all their texts.
fn written(room: &str) -> Vec<(String, Vec<String>)> {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = sources(&host.join(room).join("src"));
    let each = files.iter().map(|file| {
        let name = file.strip_prefix(&host).unwrap().display().to_string();
        let tokens: TokenStream = std::fs::read_to_string(file).unwrap().parse().unwrap();
        let mut texts = Vec::new();
        literals(tokens, &mut texts);
        (name, texts)
    });
    each.collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false => files.push(path),
        }
    }
    let is_test = |name: &str| name.starts_with("test") || name.contains("/tests");
    files.retain(|file| {
        let name = file.file_name().unwrap().to_string_lossy();
        name.ends_with(".rs") && !is_test(&name) && !file.display().to_string().contains("/tests/")
    });
    files
}

/// The texts of a file without its tests, documentation, and what only a fault of ours would show.
fn literals(tokens: TokenStream, texts: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                // Of the file itself: its documentation.
                at += usize::from(matches!(tokens.get(at), Some(TokenTree::Punct(_))));
                let Some(TokenTree::Group(attribute)) = tokens.get(at) else {
                    continue;
                };
                at += 1;
                let inside = attribute.stream().to_string();
                if inside.starts_with("error") || inside.starts_with("command") {
                    literals(attribute.stream(), texts);
                } else if inside.starts_with("cfg") && inside.contains("test") {
                    // To the end of the item.
                    while let Some(next) = tokens.get(at) {
                        at += 1;
                        match next {
                            TokenTree::Punct(mark) if mark.as_char() == ';' => break,
                            TokenTree::Group(g) if g.delimiter() == Delimiter::Brace => break,
                            _ => {}
                        }
                    }
                }
            }
            TokenTree::Ident(name) if is_for_us(&name.to_string(), tokens.get(at)) => {
                let is_macro = matches!(tokens.get(at), Some(TokenTree::Punct(_)));
                at += 1 + usize::from(is_macro);
            }
            TokenTree::Group(group) => literals(group.stream(), texts),
            TokenTree::Literal(literal) => {
                if let syn::Lit::Str(text) = syn::Lit::new(literal.clone()) {
                    texts.push(text.value());
                }
            }
            _ => {}
        }
    }
}

/// Panics, and what is looked for in foreign texts.
fn is_for_us(name: &str, next: Option<&TokenTree>) -> bool {
    const MACROS: [&str; 6] = [
        "panic",
        "unreachable",
        "assert",
        "assert_eq",
        "debug_assert",
        "debug_assert_eq",
    ];
    match next {
        Some(TokenTree::Punct(mark)) if mark.as_char() == '!' => MACROS.contains(&name),
        Some(TokenTree::Group(_)) => ["expect", "contains"].contains(&name),
        _ => false,
    }
}

/// Two words of lower case one after the other, or one beside a hole.
fn is_prose(text: &str) -> bool {
    let pattern = Pattern::new(text);
    let word = |word: &str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() > 1 && word.chars().all(|c| c.is_lowercase() || c == '\'')
    };
    let text = pattern.pieces.join("\u{0}");
    let words: Vec<bool> = text.split_whitespace().map(word).collect();
    let one = !pattern.holes.is_empty() && words.contains(&true);
    one || words.windows(2).any(|two| two == [true, true])
}
