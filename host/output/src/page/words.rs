//! The words of the live page, in English and Brazilian Portuguese. [`fill`] puts them where a file has `{{key}}`.
//! Each word stands here once, and a test of the page's files finds a key that has none.

use vespeiro_plan::Language;

/// Key, English, Portuguese. `{n}` and the like are filled in by the page.
const WORDS: &[(&str, &str, &str)] = &[
    ("lang", "en", "pt-BR"),
    ("run", "run", "execução"),
    ("target", "target", "alvo"),
    ("scenario", "scenario", "cenário"),
    ("elapsed", "elapsed", "decorrido"),
    ("remaining", "remaining", "restante"),
    ("progress", "Progress of the run", "Andamento da execução"),
    ("skip", "Skip to the figures", "Ir para os números"),
    ("steer", "Steer the run", "Conduzir a execução"),
    ("figures", "Figures", "Números"),
    (
        "charts",
        "The last five minutes",
        "Os últimos cinco minutos",
    ),
    ("now", "now", "agora"),
    ("highest", "highest", "máximo"),
    ("no-data", "no data yet", "ainda sem dados"),
    ("ago", "{n} s ago", "há {n} s"),
    // States
    ("connecting", "Connecting", "Conectando"),
    ("waiting", "Not begun", "Não iniciada"),
    ("running", "Running", "Em execução"),
    ("paused", "Paused", "Em pausa"),
    ("stopping", "Stopping", "Parando"),
    ("cleanup", "Cleaning up", "Limpando"),
    ("done", "Ended", "Encerrada"),
    ("lost", "Disconnected", "Desconectada"),
    (
        "lost-text",
        "The run does not answer. These are its last figures; the page keeps trying.",
        "A execução não responde. Estes são os últimos números; a página continua tentando.",
    ),
    (
        "gone-text",
        "Another run listens at this address now: load the page again to see it.",
        "Outra execução usa este endereço agora: recarregue a página para vê-la.",
    ),
    (
        "waiting-text",
        "The run has not begun yet.",
        "A execução ainda não começou.",
    ),
    (
        "paused-text",
        "No new request leaves until you resume.",
        "Nenhuma requisição nova sai até você continuar.",
    ),
    (
        "stopping-text",
        "Waiting for {n} requests under way.",
        "Aguardando {n} requisições em andamento.",
    ),
    (
        "cleanup-text",
        "The load is over. What the run has created is being removed.",
        "A carga terminou. O que a execução criou está sendo removido.",
    ),
    (
        "finished-text",
        "The run has ended: every user is done. These are its last figures.",
        "A execução terminou: todos os usuários acabaram. Estes são os últimos números.",
    ),
    (
        "duration-text",
        "The run has ended: its time is over. These are its last figures.",
        "A execução terminou: seu tempo acabou. Estes são os últimos números.",
    ),
    (
        "stopped-text",
        "The run has ended: somebody stopped it. These are its last figures.",
        "A execução terminou: alguém a parou. Estes são os últimos números.",
    ),
    (
        "aborted-text",
        "The run has ended: its own guard stopped it. These are its last figures.",
        "A execução terminou: sua própria guarda a parou. Estes são os últimos números.",
    ),
    (
        "failed-text",
        "The run has ended with an error: see its terminal. These are its last figures.",
        "A execução terminou com um erro: veja o terminal. Estes são os últimos números.",
    ),
    (
        "breaker-text",
        "The target fails: the circuit breaker is {state}, and {n} users wait.",
        "O alvo falha: o disjuntor está {state}, e {n} usuários aguardam.",
    ),
    (
        "pace-text",
        "The target turns requests away: the run goes {n} times slower.",
        "O alvo recusa requisições: a execução vai {n} vezes mais devagar.",
    ),
    (
        "logins-text",
        "Logins are paused: the target refused too many.",
        "Os logins estão em pausa: o alvo recusou demais.",
    ),
    // Figures
    ("users", "Users", "Usuários"),
    ("of", "of {n}", "de {n}"),
    ("rate", "Requests per second", "Requisições por segundo"),
    ("requests", "Requests", "Requisições"),
    ("share-of", "{n} of {all}", "{n} de {all}"),
    ("in-all", "{n} in all", "{n} no total"),
    ("wanted-rate", "{n} wanted", "{n} desejadas"),
    ("success", "Success", "Sucesso"),
    ("errors", "Errors", "Erros"),
    ("errors-rate", "Errors per second", "Erros por segundo"),
    ("injected", "Injected", "Injetados"),
    (
        "injected-note",
        "errors made on purpose",
        "erros de propósito",
    ),
    ("errors-note", "nobody asked for them", "ninguém os pediu"),
    ("latency", "Latency", "Latência"),
    ("half", "half take less", "metade leva menos"),
    ("most", "19 of 20 take less", "19 de 20 levam menos"),
    ("p95-now", "p95 of each second", "p95 de cada segundo"),
    ("p95-max", "max {n}", "máx {n}"),
    ("generator", "Generator", "Gerador"),
    (
        "generator-text",
        "CPU {cpu}, memory {memory}",
        "CPU {cpu}, memória {memory}",
    ),
    // Steering
    ("pause", "Pause", "Pausar"),
    ("resume", "Resume", "Continuar"),
    ("stop", "Stop…", "Parar…"),
    ("halt", "End at once", "Encerrar já"),
    ("apply", "Apply", "Aplicar"),
    ("users-field", "Number of users", "Número de usuários"),
    ("stop-title", "Stop this run?", "Parar esta execução?"),
    (
        "stop-text",
        "No new request leaves, those under way finish, and what the run has created is removed. It cannot be taken back.",
        "Nenhuma requisição nova sai, as que estão em andamento terminam, e o que a execução criou é removido. Não dá para desfazer.",
    ),
    ("stop-yes", "Stop the run", "Parar a execução"),
    ("no", "Go on", "Seguir"),
    ("close", "Close", "Fechar"),
    (
        "done-pause",
        "The run is paused.",
        "A execução está em pausa.",
    ),
    ("done-resume", "The run goes on.", "A execução continua."),
    (
        "done-stop",
        "The run is stopping.",
        "A execução está parando.",
    ),
    (
        "done-users",
        "{n} users play from now on.",
        "{n} usuários jogam a partir de agora.",
    ),
    (
        "token-title",
        "This run wants its token",
        "Esta execução pede o token",
    ),
    (
        "token-text",
        "It is what --control-token or VESPEIRO_CONTROL_TOKEN says. This tab remembers it.",
        "É o que --control-token ou VESPEIRO_CONTROL_TOKEN diz. Esta aba o guarda.",
    ),
    ("token", "Token", "Token"),
    ("enter", "Enter", "Entrar"),
    (
        "token-wrong",
        "That is not the token.",
        "Esse não é o token.",
    ),
    (
        "unreachable",
        "The run does not answer.",
        "A execução não responde.",
    ),
    // Archetypes
    ("archetypes", "Archetypes", "Arquétipos"),
    ("archetype", "Archetype", "Arquétipo"),
    ("share", "Share", "Parcela"),
    ("swap", "Swap", "Trocar"),
    ("swap-file", "Swap {name}…", "Trocar {name}…"),
    ("swap-short", "Swap…", "Trocar…"),
    ("back", "Built-in", "Embutido"),
    (
        "back-long",
        "Swap {name} back to its built-in behavior",
        "Trocar {name} de volta ao comportamento embutido",
    ),
    (
        "swap-hint",
        "Drop a .wasm module on an archetype, or choose one, to swap its behavior while the run goes on.",
        "Solte um módulo .wasm sobre um arquétipo, ou escolha um, para trocar o comportamento sem parar a execução.",
    ),
    (
        "swap-drop",
        "Drop to swap {name}",
        "Solte para trocar {name}",
    ),
    ("swap-share", "New sessions", "Sessões novas"),
    ("swap-mode", "Running sessions", "Sessões em curso"),
    ("swap-all", "all get it", "todas a recebem"),
    ("half-get", "half get it", "metade a recebe"),
    ("quarter-get", "one in 4 gets it", "uma em 4 a recebe"),
    ("tenth-get", "one in 10 gets it", "uma em 10 a recebe"),
    ("mode-drain", "finish on the old one", "terminam na antiga"),
    (
        "mode-now",
        "end at their next step",
        "acabam no próximo passo",
    ),
    (
        "mode-migrate",
        "move with their state",
        "mudam com seu estado",
    ),
    (
        "swapping",
        "{name}: compiling {file}…",
        "{name}: compilando {file}…",
    ),
    (
        "swapped",
        "{name}: {before} → {now}",
        "{name}: {before} → {now}",
    ),
    (
        "swapped-share",
        "{name}: {now} gets {n} of new sessions, {before} the rest",
        "{name}: {now} recebe {n} das sessões novas, {before} o resto",
    ),
    (
        "unchanged",
        "{name}: {now} plays already",
        "{name}: {now} já está em jogo",
    ),
    (
        "not-swapped",
        "{name} was not swapped: {why}",
        "{name} não foi trocado: {why}",
    ),
    ("one-file", "one module at a time", "um módulo de cada vez"),
    ("sessions", "Sessions", "Sessões"),
    ("more", "and {n} more", "e mais {n}"),
    // Lists
    ("mix", "Request mix", "Distribuição de requisições"),
    ("error-mix", "Error mix", "Distribuição de erros"),
    ("category", "Category", "Categoria"),
    ("achieved", "Achieved", "Obtido"),
    ("wanted", "Target", "Meta"),
    ("class-success", "success", "sucesso"),
    ("class-client", "client error", "erro do cliente"),
    ("class-server", "server error", "erro do servidor"),
    ("recent", "Recent requests", "Requisições recentes"),
    ("time", "Time", "Hora"),
    ("user", "User", "Usuário"),
    ("request", "Request", "Requisição"),
    ("outcome", "Outcome", "Resultado"),
    ("news", "Swaps", "Trocas"),
    ("no-news", "No swap yet.", "Nenhuma troca ainda."),
    ("on-purpose", "on purpose", "de propósito"),
    ("thresholds", "Thresholds", "Limiares"),
    ("state-ok", "holds", "ok"),
    ("state-crossed", "crossed", "violado"),
    ("state-no-data", "no data", "sem dados"),
];

/// The text with each `{{key}}` replaced by its word, and `{{*}}` by all of them as a JSON object.
pub(super) fn fill(text: &str, language: Language) -> String {
    let word = |en, pt| match language {
        Language::English => en,
        Language::Portuguese => pt,
    };
    let mut filled = text.to_owned();
    if filled.contains("{{*}}") {
        let all = WORDS.iter().map(|(key, en, pt)| {
            let word: &str = word(*en, *pt);
            ((*key).to_owned(), word.into())
        });
        let all: serde_json::Map<_, _> = all.collect();
        filled = filled.replace("{{*}}", &serde_json::Value::Object(all).to_string());
    }
    for (key, en, pt) in WORDS {
        filled = filled.replace(&format!("{{{{{key}}}}}"), word(en, pt));
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_once_and_breaks_no_html() {
        for (at, (key, en, pt)) in WORDS.iter().enumerate() {
            assert!(WORDS[..at].iter().all(|(k, ..)| k != key), "{key}");
            for word in [en, pt] {
                assert!(!word.contains(['<', '>', '&', '"']), "{word}");
            }
        }
    }

    #[test]
    fn both_languages_fill_in_the_same_things() {
        let marks = |word: &str| -> Vec<String> {
            let mut found: Vec<String> = word
                .split('{')
                .skip(1)
                .filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()))
                .collect();
            found.sort();
            found
        };
        for (key, en, pt) in WORDS {
            assert_eq!(marks(en), marks(pt), "{key}");
        }
    }

    #[test]
    fn the_words_go_into_the_text() {
        let text = "<h1>{{users}}</h1>{{*}}";
        let filled = fill(text, Language::Portuguese);
        assert!(filled.starts_with("<h1>Usuários</h1>{"), "{filled}");
        assert!(filled.contains("\"pause\":\"Pausar\""), "{filled}");
    }
}
