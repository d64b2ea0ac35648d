//! With Portuguese chosen the tool speaks Portuguese: help, mistakes on the command line and in a plan, and its own lines of
//! a run, its log and its cleanup.

use axum::Router;
use axum::http::StatusCode;
use tempfile::TempDir;

use crate::support::{Ended, RunOf, Server, Service, command, example, vespeiro};

/// Words that only English has.
const ENGLISH: [&str; 8] = [
    " the ", " of ", " with ", " and ", " not ", " is ", "Usage", "default",
];

#[track_caller]
fn is_portuguese(text: &str) {
    for word in ENGLISH {
        assert!(!text.contains(word), "{word:?}: {text}");
    }
}

#[test]
fn help_is_portuguese() {
    let help = vespeiro(&["--help", "--lang=pt-BR"]).fine().stdout;
    let run = vespeiro(&["run", "--help", "--lang", "pt-BR"])
        .fine()
        .stdout;
    for (text, parts) in [
        (
            &help,
            [
                "Uso: vespeiro <COMANDO>",
                "Jogar um plano contra um alvo",
                "Códigos de saída",
            ],
        ),
        (
            &run,
            [
                "Usuários virtuais, todos ao mesmo tempo [padrão: 100]",
                "Carga:",
                "--no-cache",
            ],
        ),
    ] {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        is_portuguese(text);
    }
    assert!(
        vespeiro(&["run", "--help"])
            .fine()
            .stdout
            .contains("[default: 100]")
    );
}

#[test]
fn mistakes_are_told_in_portuguese() {
    for (line, said) in [
        (
            "run --usres 5 --lang pt-BR",
            "erro: argumento inesperado '--usres'; existe um argumento parecido: '--users'; veja --help",
        ),
        (
            "run --users x --lang=pt-BR",
            "erro: users (--users): \"x\" não é um número inteiro; dê de 1 a 4294967295",
        ),
        (
            "run --lang=pt-BR --base-url http://127.0.0.1:1",
            "erro: o alvo http://127.0.0.1:1 não responde: 127.0.0.1:1 recusou a conexão: nada escuta lá: inicie o serviço, ou confira --base-url",
        ),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ended = vespeiro(&arguments);
        assert_ne!(ended.code, Some(0));
        assert_eq!(ended.stderr.trim_end(), said);
    }
    // By the environment, as for the panel; and what a library says stays as it is.
    for (variable, value) in [("LANG", "pt_BR.UTF-8"), ("VESPEIRO_LANG", "pt-BR")] {
        let mut cleanup = command(env!("CARGO_BIN_EXE_vespeiro"));
        let cleanup = cleanup
            .env(variable, value)
            .args(["check", "/nowhere.wasm"]);
        let said = String::from_utf8(cleanup.output().unwrap().stderr).unwrap();
        assert!(
            said.contains("No such file or directory") && said.contains("confira o caminho"),
            "{said}"
        );
    }
}

#[test]
fn a_run_its_log_and_its_cleanup_are_portuguese() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("run.journal");
    let line = "run --no-panel --lang pt-BR --log info --users 4 --duration 6s --delay-min 20 --delay-max 60 \
         --min-request-count 100000 --max-request-count 100000 --error-mix off --cleanup always";
    let mut arguments: Vec<&str> = line.split_whitespace().collect();
    arguments.extend(["--base-url", &service.url]);
    arguments.extend(["--journal", journal.to_str().unwrap()]);
    let ended = vespeiro(&arguments).fine();
    let said = |part: &str| assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    said("  usuários 4/4  ");
    said("limpeza: ");
    said(" a remover");
    is_portuguese(&ended.stderr);
}

#[test]
fn the_log_of_a_failing_target_is_portuguese() {
    let target = Server::start(Router::new().fallback(|| async { StatusCode::BAD_GATEWAY }));
    let module = example("first");
    let options = format!(
        "--lang pt-BR --archetype mine={} --users 20 --duration 3s --delay-min 5 --delay-max 20 --workers 1",
        module.display()
    );
    let Ended { stderr, .. } = RunOf::start(&target.url, &options).played().ended;
    target.stop();
    assert!(
        stderr.contains("WARN o alvo falha: o disjuntor abriu em 1 de 1 workers;"),
        "{stderr}"
    );
    is_portuguese(&stderr);
}
