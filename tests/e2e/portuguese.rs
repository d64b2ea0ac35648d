//! With Portuguese chosen the tool speaks Portuguese: help, mistakes on the command line and in a plan, and its own lines of
//! a run, its log and its cleanup.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use axum::Router;
use axum::http::StatusCode;
use tempfile::TempDir;

use crate::support::{Ended, Owned, RunOf, Server, Service, command, example, vespeiro};

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
    let run = vespeiro(&["run", "--help-all", "--lang", "pt-BR"])
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
fn a_swap_is_portuguese() {
    let service = Service::start();
    let first = example("first");
    let options = format!(
        "--lang pt-BR --archetype mine={} --users 5 --duration 5m --delay-min 5 --delay-max 30 --control 127.0.0.1:0",
        first.display()
    );
    let run = RunOf::start(&service.url, &options);
    let control = run.authority("control: ");
    let folder = TempDir::new().unwrap();
    let swap = |archetype: &str, module: &str, more: &[&str]| {
        let all = ["swap", "--control", &control, archetype, module];
        spoken(&folder, &[&all[..], more].concat())
    };
    let told = |ended: &Ended, code: i32, parts: &[&str]| {
        assert_eq!(ended.code, Some(code), "{ended:?}");
        says(&format!("{}{}", ended.stdout, ended.stderr), parts);
    };
    let other = swap("mine", "builtin:active", &["--share", "25%"]);
    told(
        &other,
        0,
        &["troca de mine: ", "para 25,0% das novas sessões"],
    );
    told(&swap("ninguem", "builtin:active", &[]), 1, &["mine"]);
    told(
        &swap("mine", "nenhum.wasm", &[]),
        2,
        &["erro: comportamento nenhum.wasm"],
    );
    let crashing = example("trap_describe");
    told(
        &swap("mine", crashing.to_str().unwrap(), &[]),
        1,
        &["trap_describe"],
    );
    run.process.signal("TERM");
    let stderr = run.played().ended.fine().stderr;
    says(&stderr, &["troca de mine recusada: "]);
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

/// Whose log, check and names are texts of ours, word by word.
const MIMIC: &str = "import { behavior, get } from 'vespeiro';
function* journey(me) {
  me.log('cleanup: skipped', 'warn');
  me.log('3 things');
  me.check('a pause', true);
  (yield get('/mimic')).expect(200);
}
export default behavior({ routes: { random: ['GET /mimic'] }, journey });
";
/// The same, without a request before it gives up in words of ours.
const FAILING: &str = "import { behavior, get } from 'vespeiro';
function* journey(me) {
  (yield get('/mimic')).expect(200);
  throw 'cleanup: skipped';
}
export default behavior({ routes: { random: ['GET /mimic'] }, journey });
";

/// A folder with both, and a target that answers with a text of ours.
fn mimics() -> (TempDir, Server) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mimic.js"), MIMIC).unwrap();
    fs::write(folder.path().join("failing.js"), FAILING).unwrap();
    let target = Server::start(Router::new().fallback(|| async { "cleanup: skipped" }));
    (folder, target)
}

/// The program in a folder, with Portuguese chosen by the environment.
fn spoken(folder: &TempDir, arguments: &[&str]) -> Ended {
    let mut program = command(env!("CARGO_BIN_EXE_vespeiro"));
    let program = program.env("VESPEIRO_LANG", "pt-BR").args(arguments);
    let output = program.current_dir(folder.path()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    is_portuguese(text);
}

#[test]
fn results_are_portuguese() {
    let (folder, target) = mimics();
    let told = |arguments: &[&str]| spoken(&folder, arguments).fine().stdout;
    says(
        &told(&["check", "mimic.js"]),
        &[
            "módulo ",
            "categorias     random\n",
            "5 concluídas",
            "passos",
            "veredito       ele pode jogar\n",
        ],
    );
    says(
        &told(&["rehearse", "mimic.js"]),
        &[
            "sessão 0: ",
            ", semente 1\n",
            "log warn \"cleanup: skipped\"\n",
            "verificação \"a pause\": passou\n",
            "  (inventada)\n",
            "  concluída (",
        ],
    );
    let tried = told(&["try", "mimic.js", "--base-url", &target.url]);
    says(
        &tried,
        &[
            "uma sessão contra http://127.0.0.1:",
            "passo 1",
            "log warn \"cleanup: skipped\"\n",
            "            cleanup: skipped\n",
            "verificação \"a pause\": passou",
            "captura",
            "concluída: ",
            "verificações: 1 passaram, 0 falharam",
        ],
    );
    says(
        &told(&["plan", "--scenario", "development"]),
        &["  padrão\n", "peso ", "(oculto)"],
    );
    says(
        &told(&["plan", "--scenario", "development", "--format", "toml"]),
        &["# admin_password não é impresso\n"],
    );
    says(
        &told(&["new", "shop", "--lang", "c"]),
        &[
            "shop/: um comportamento em C, com seu teste e seu SDK",
            "# requer Python 3.9 ou mais novo",
        ],
    );
    says(
        &told(&["import", "curl http://127.0.0.1:1/x", "--out", "from-curl"]),
        &["from-curl/: 1 jornadas com 1 requisições, e um plano\n"],
    );
    target.stop();
}

#[test]
fn failures_and_what_they_leave_are_told_in_portuguese() {
    let (folder, target) = mimics();
    let replies = folder.path().join("replies.jsonl");
    let reply = "{\"method\": \"GET\", \"route\": \"/mimic\", \"status\": 200}\n";
    fs::write(&replies, reply).unwrap();
    // What the behavior says itself stays as it is.
    let failed = spoken(
        &folder,
        &["check", "failing.js", "--replies", "replies.jsonl"],
    );
    assert_eq!(failed.code, Some(1));
    let why = "erro: comportamento failing.js: uma sessão falha: behavior: cleanup: skipped";
    assert!(failed.stderr.starts_with(why), "{}", failed.stderr);
    let failed = spoken(
        &folder,
        &["rehearse", "failing.js", "--replies", "replies.jsonl"],
    );
    assert!(
        failed
            .stdout
            .contains("  falhou: behavior: cleanup: skipped ("),
        "{}",
        failed.stdout
    );
    let none = "{\"method\": \"GET\", \"route\": \"/mimic\", \"failed\": \"timeout\"}\n";
    fs::write(&replies, none).unwrap();
    let failed = spoken(
        &folder,
        &["rehearse", "mimic.js", "--replies", "replies.jsonl"],
    );
    says(&failed.stdout, &["          -> tempo esgotado\n"]);
    target.stop();
    let failed = spoken(
        &folder,
        &["try", "mimic.js", "--base-url", "http://127.0.0.1:1"],
    );
    says(&failed.stdout, &["  ← conexão (#1: "]);

    let service = Service::start();
    let line = "run --no-panel --cleanup never --users 2 --min-request-count 12 --max-request-count 12 \
         --archetype newcomer --delay-min 0 --delay-max 0 --mix off --error-mix off --journal run.journal";
    let mut arguments: Vec<&str> = line.split_whitespace().collect();
    arguments.extend(["--base-url", &service.url]);
    let ended = spoken(&folder, &arguments).fine();
    is_portuguese(&ended.stdout);
    let cleaned = spoken(&folder, &["cleanup", "run.journal"]).fine();
    says(&cleaned.stdout, &["2 removidos, 0 deixados, "]);
}

#[test]
fn a_guests_line_stays_as_it_is() {
    let (folder, target) = mimics();
    let line = "run --no-panel --log info --archetype mine=mimic.js --users 1 --min-request-count 2 --max-request-count 2 \
         --delay-min 0 --delay-max 0 --workers 1";
    let mut arguments: Vec<&str> = line.split_whitespace().collect();
    arguments.extend(["--base-url", &target.url]);
    let said = spoken(&folder, &arguments).fine().stderr;
    target.stop();
    for words in ["\"cleanup: skipped\"", "\"3 things\""] {
        let line = format!("{words} behavior=\"mine\"");
        assert!(said.contains(&line), "{words}: {said}");
    }
}

#[test]
fn a_service_and_a_recording_say_where_they_are_in_portuguese() {
    let folder = TempDir::new().unwrap();
    let service = Service::start();
    let serve = ["serve", "--port", "0"];
    let record = [
        "record",
        "--listen",
        "127.0.0.1:0",
        "--out",
        "out",
        "--base-url",
        &service.url,
    ];
    let said = [
        "serviço de usuários com o administrador admin@example.test; Ctrl-C o encerra",
        "; Ctrl-C encerra a gravação",
    ];
    for (arguments, said) in [&serve[..], &record[..]].iter().zip(said) {
        let mut program = command(env!("CARGO_BIN_EXE_vespeiro"));
        let program = program.env("VESPEIRO_LANG", "pt-BR").args(*arguments);
        let program = program.current_dir(folder.path()).stdout(Stdio::piped());
        let mut process = Owned(program.spawn().unwrap());
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let lines: Vec<String> = lines.take(2).map(Result::unwrap).collect();
        assert!(lines[0].starts_with("http://127.0.0.1:"), "{lines:?}");
        assert!(lines[1].ends_with(said), "{lines:?}");
        is_portuguese(&lines[1]);
    }
}
