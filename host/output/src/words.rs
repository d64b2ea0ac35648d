//! Every word that people read in the panel, the summary and both pages, in English and in Brazilian Portuguese side by
//! side. Used through [`Locale::words`](crate::Locale) and, for the files of the live page, through [`fill`].
//!
//! What must stay true: both languages have each word, and fill in the same things.

use vespeiro_model::{
    BreakerState, ChannelKind, Ending, EventKind, Failure, FaultKind, HoldReason, OutcomeClass,
    OutcomeKind, RequestPhase,
};
use vespeiro_plan::Language;

/// Makes the table: words with a field each, words of a kind with a method each, and words that only the files of the live
/// page name.
macro_rules! words {
    (
        words { $($(#[$doc:meta])* $key:ident: $en:literal, $pt:literal;)* }
        kinds { $($(#[$list_doc:meta])* $list:ident: $kind:ident { $($list_en:literal, $list_pt:literal;)* })* }
        page { $($page_key:literal: $page_en:literal, $page_pt:literal;)* }
    ) => {
        /// The words of one language.
        #[derive(Debug, PartialEq, Eq)]
        pub(super) struct Words {
            $($(#[$doc])* pub(super) $key: &'static str,)*
            $($(#[$list_doc])* $list: [&'static str; $kind::ALL.len()],)*
        }

        static ENGLISH: Words = Words { $($key: $en,)* $($list: [$($list_en,)*],)* };
        static PORTUGUESE: Words = Words { $($key: $pt,)* $($list: [$($list_pt,)*],)* };
        /// Key, English, Portuguese.
        const TABLE: &[(&str, &str, &str)] = &[
            $((stringify!($key), $en, $pt),)*
            $(($page_key, $page_en, $page_pt),)*
        ];

        impl Words {
            $(pub(super) fn $list(&self, kind: $kind) -> &'static str {
                self.$list[kind as usize]
            })*
        }
    };
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Words {
        match language {
            Language::English => &ENGLISH,
            Language::Portuguese => &PORTUGUESE,
        }
    }
}

/// The text with each `{{key}}` replaced by its word, `{{Key}}` by the word with a capital, and `{{*}}` by all words as a
/// JSON object.
pub(super) fn fill(text: &str, language: Language) -> String {
    let words = TABLE.iter().map(|(key, en, pt)| match language {
        Language::English => (*key, *en),
        Language::Portuguese => (*key, *pt),
    });
    let all = words
        .clone()
        .map(|(key, word)| (key.to_owned(), word.into()));
    let all = serde_json::Value::Object(all.collect()).to_string();
    let filled = text.replace("{{*}}", &all);
    words.fold(filled, |filled, (key, word)| {
        let filled = filled.replace(&format!("{{{{{key}}}}}"), word);
        filled.replace(&format!("{{{{{}}}}}", capital(key)), &capital(word))
    })
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

words! {
words {
    /// For the `lang` of a document.
    lang: "en", "pt-BR";
    run: "run", "execução";
    users: "users", "usuários";
    /// Before a user's number.
    user: "user", "usuário";
    requests: "requests", "requisições";
    sent: "sent", "enviadas";
    answered: "answered", "respondidas";
    /// Of bytes.
    sent_bytes: "sent", "enviados";
    received: "received", "recebidos";
    not_sent: "not sent", "não enviadas";
    success: "success", "sucesso";
    /// All requests without a status below 400.
    failed_requests: "failures", "erros";
    /// Failures that nobody asked for.
    unplanned: "unplanned", "não planejados";
    errors: "errors", "erros";
    /// Failures that the tool asked for.
    injected: "injected", "injetadas";
    latency: "latency", "latência";
    mean: "mean", "média";
    max: "max", "máx";
    traffic: "traffic", "tráfego";
    profile: "profile", "perfil";
    causes: "why requests failed", "por que requisições falharam";
    grpc_status: "the status of a gRPC call", "o status de uma chamada gRPC";
    /// Bytes with everything that HTTP adds to bodies.
    on_the_wire: "on the wire", "na rede";
    connections: "connections", "conexões";
    /// Of connections.
    connections_opened: "opened", "abertas";
    connections_reused: "requests on reused ones", "requisições nas já usadas";
    closed_by_us: "closed by us", "fechadas por nós";
    closed_by_target: "by the target", "pelo alvo";
    connections_open: "open at the end", "abertas no fim";
    tls_full: "TLS full", "TLS completo";
    tls_resumed: "resumed", "retomado";
    /// Requests, over another connection.
    resent_stale: "sent again: stale", "reenviadas: conexão morta";
    resent_unprocessed: "unprocessed", "não processadas";
    channels: "channels", "canais";
    /// Of channels.
    channels_opened: "opened", "abertos";
    channels_open: "open at the end", "abertos no fim";
    channels_broken: "broken", "rompidos";
    /// Of messages.
    messages_sent: "messages sent", "mensagens enviadas";
    messages_received: "received", "recebidas";
    /// Before a time.
    lasted: "open for", "abertos por";
    first_message: "first message after", "primeira mensagem após";
    where_time_goes: "where the time goes", "onde vai o tempo";
    /// Of the service time.
    of_service: "of service", "do serviço";
    arrivals: "arrivals", "chegadas";
    /// Of arrivals.
    due: "due", "previstas";
    dropped: "dropped", "descartadas";
    /// From the send to the outcome.
    service_time: "service time", "tempo serviço";
    paused: "PAUSED", "EM PAUSA";
    /// Requests.
    slowest: "slowest", "mais lentas";
    /// A moment.
    when: "at (UTC)", "às (UTC)";
    trace: "trace", "trace";
    /// `{dropped}` is filled in.
    dropped_limit: "{dropped} arrivals found no free user: raise --max-users, or the target cannot keep up with this rate", "{dropped} chegadas não acharam usuário livre: aumente --max-users, ou o alvo não acompanha esta taxa";
    elapsed: "elapsed", "decorrido";
    remaining: "remaining", "restante";
    // The box of the specification's panel.
    panel_title: "Progress of the Traffic Simulation:", "Progresso da Simulação de Tráfego:";
    /// `{}` is filled in, as below.
    panel_users: "Users: {} Active", "Usuários: {} Ativos";
    panel_requests: "Reqs: {}", "Reqs: {}";
    panel_success: "Success Rate: {}", "Taxa Sucesso: {}";
    panel_errors: "Errors: {}", "Erros: {}";
    panel_mean: "Mean Resp: {}", "Resp Média: {}";
    panel_peak: "Peak: {}", "Pico: {}";
    panel_elapsed: "Duration: {}", "Duração: {}";
    panel_remaining: "Remaining: {}", "Restante: {}";
    panel_recent: "Recent Activity:", "Atividade Recente:";
    started: "started", "início";
    workers: "workers", "workers";
    archetype: "archetype", "arquétipo";
    archetypes: "archetypes", "arquétipos";
    versions: "versions", "versões";
    swaps: "swaps of", "trocas de";
    published: "published", "publicadas";
    refused: "refused", "recusadas";
    rolled_back: "rolled back", "desfeitas";
    /// Of a load profile.
    stages: "stages", "estágios";
    routes: "routes", "rotas";
    targets: "targets", "alvos";
    recent: "recent", "recentes";
    status: "status", "status";
    /// Requests without a complete response.
    no_response: "no response", "sem resposta";
    failures: "failures", "falhas";
    mix: "request mix", "distribuição";
    error_mix: "error mix", "erros";
    /// A share that the plan asks for.
    wanted: "target", "meta";
    faults: "faults", "falhas injet.";
    /// How many faults were asked for.
    asked: "asked", "pedidas";
    /// What was held back out of regard for the target.
    resilience: "held back", "contidas";
    breaker: "breaker", "disjuntor";
    /// How often the breaker opened.
    opened: "breaker openings", "aberturas do disjuntor";
    retries: "retries", "repetições";
    refused_logins: "logins refused", "logins recusados";
    /// Against what may be refused in a minute.
    refused_lately: "logins refused in a minute", "logins recusados em um minuto";
    /// The degradation of the share of errors, in points.
    errors_risen: "unplanned errors {} points", "erros não previstos {} pontos";
    /// `{}` is the number of refused logins.
    logins_paused: "logins were paused, since the target refused {} of them: check the admin account and the users' passwords", "os logins foram pausados, pois o alvo recusou {} deles: confira a conta admin e as senhas dos usuários";
    /// Users who wait for the target.
    waiting: "waiting", "em espera";
    /// Logins are paused at this moment.
    no_logins: "LOGINS PAUSED", "LOGINS EM PAUSA";
    /// By which factor pauses are longer than planned.
    slowed: "slowed down", "desacelerado";
    /// The run was asked to end; `{}` requests are under way.
    stopping: "stopping: waiting for {} requests under way", "parando: aguardando {} requisições em andamento";
    sessions: "sessions", "sessões";
    begun: "begun", "iniciadas";
    still_active: "still active", "ainda ativas";
    count: "count", "total";
    share: "share", "parcela";
    checks: "checks", "verificações";
    passed: "passed", "aprovadas";
    failed: "failed", "reprovadas";
    /// Of sessions, why.
    gave_up: "gave up", "desistiram";
    /// Where in a behavior.
    place: "place", "lugar";
    transactions: "transactions", "transações";
    /// Behind a quantile: of times with the pauses in them.
    with_pauses: "with pauses", "com pausas";
    observed: "observed", "observados";
    generator: "generator", "gerador";
    /// `{}` is the number of cores.
    of_cores: "of {} cores", "de {} núcleos";
    memory: "memory", "memória";
    lag: "scheduling lag", "atraso de agendamento";
    behaviors: "behaviors", "comportamentos";
    of_cpu: "of the CPU time", "do tempo de CPU";
    median_call: "median call", "chamada mediana";
    instances: "instances", "instâncias";
    traps: "traps", "traps";
    warning: "WARNING", "AVISO";
    /// `{value}` and `{bound}` are filled in.
    cpu_limit: "the generator was the limit: CPU at {value} of its cores (bound: {bound})", "o gerador foi o limite: CPU em {value} dos seus núcleos (limite: {bound})";
    lag_limit: "the generator was late: scheduling lag p99 {value} (bound: {bound})", "o gerador se atrasou: atraso de agendamento p99 {value} (limite: {bound})";
    what_to_do: "The figures above are not the target's alone. Give it more --workers or cores, or fewer users.", "Os números acima não são só do alvo. Dê mais --workers ou núcleos, ou menos usuários.";
    thresholds: "thresholds", "limiares";
    threshold: "threshold", "limiar";
    achieved: "achieved", "obtido";
    result: "result", "resultado";
    held: "ok", "ok";
    crossed: "CROSSED", "VIOLADO";
    no_data: "no data", "sem dados";
    /// `{failed}`, `{crashed}` and `{share}` are filled in.
    sessions_failing: "{failed} sessions failed and {crashed} crashed, {share} of those that ended by themselves: see the log", "{failed} sessões com erro e {crashed} quebradas, {share} das que terminaram por si: veja o log";
    /// `{}` is a list of conditions.
    unjudged: "never judged, since there was no data: {}", "nunca avaliados, pois não houve dados: {}";
    aborted: "ABORTED", "ABORTADA";
    degradation: "degradation", "degradação";
    /// Before a value.
    at_the_beginning: "at the beginning", "no início";
    /// Before a time.
    after: "after", "após";
    cleanup: "cleanup", "limpeza";
    removed: "removed", "removidos";
    left_behind: "left behind", "deixados";
    repeat: "repeat", "repetir";
    /// `{flags}` is filled in.
    repeat_with: "the same command with {flags}", "o mesmo comando com {flags}";
    /// What that promises.
    repeats: "makes the same decisions where it gets the same answers", "toma as mesmas decisões onde recebe as mesmas respostas";
    /// What it does not, where the mixes were held by feedback.
    repeats_users: "has the same users, whose decisions follow the mixes too", "tem os mesmos usuários, cujas decisões seguem também os mixes";
    repeats_without: "exact between runs with --mix off --error-mix off", "exato entre execuções com --mix off --error-mix off";
    /// `{}` is the older run.
    compared: "against {}", "contra {}";
    figure: "figure", "número";
    before: "before", "antes";
    now: "now", "agora";
    change: "change", "mudança";
    error_rate: "error rate", "taxa de erros";
    /// `{}` is a share.
    same_within: "same within {}", "igual, dentro de {}";
    /// `{}` is a number of points.
    same_points: "same within {} points", "igual, dentro de {} pontos";
    /// `{}` is a number, of each run.
    cannot_tell: "cannot tell: {} more seconds needed", "não dá para saber: faltam {} segundos";
    cannot_tell_ever: "cannot tell: too little to go by", "não dá para saber: há dados de menos";
    better: "better", "melhor";
    worse: "WORSE", "PIOR";
    changed: "changed", "mudou";
    /// `{same}` and `{untold}` are numbers of figures.
    quiet_routes: "figures of routes that are not listed: {same} the same, {untold} that cannot be told", "números de rotas não listados: {same} iguais, {untold} que não dá para saber";

    // The page of results.
    report: "load report", "relatório de carga";
    median: "median", "mediana";
    rate: "per second", "por segundo";
    over_time: "Over time", "Ao longo do tempo";
    no_time: "This summary holds no figures over time.", "Este resumo não traz números ao longo do tempo.";
    chart_rate: "Requests per second", "Requisições por segundo";
    chart_statuses: "Answers per second, by status", "Respostas por segundo, por status";
    chart_users: "Users and sessions", "Usuários e sessões";
    chart_cpu: "Generator: cores busy", "Gerador: núcleos ocupados";
    cores: "cores", "núcleos";
    /// `{low}`, `{high}` and `{last}` are filled in.
    spread: "from {low} to {high}, {last} at the end", "de {low} a {high}, {last} no fim";
    /// What a focused chart does.
    explore: "arrow keys move through the time", "as setas percorrem o tempo";
    no_script: "the charts are drawn by a script, which does not run here: their figures are in the table below them",
        "os gráficos são desenhados por um script, que não roda aqui: seus números estão na tabela abaixo deles";
    figures: "The figures behind the charts", "Os números por trás dos gráficos";
    time: "time", "tempo";
    events: "Events", "Eventos";
    event: "event", "evento";
    about: "about", "sobre";
    /// `{}` is their number.
    events_lost: "{} more events found no place here.", "Mais {} eventos não couberam aqui.";
    totals: "Totals", "Totais";
    sort: "sort by", "ordenar por";
    all_held: "all thresholds held", "todos os limiares respeitados";
    /// `{crossed}` and `{all}` are filled in.
    crossed_of: "{crossed} of {all} thresholds crossed", "{crossed} de {all} limiares violados";
}
kinds {
    class: OutcomeClass {
        "success", "sucesso";
        "client", "cliente";
        "server", "servidor";
    }
    /// Before the latency of only those.
    latency_of: OutcomeKind {
        "  of successes", "  dos sucessos";
        "  of failures", "  das falhas";
    }
    fault: FaultKind {
        "bad credentials", "credenciais inválidas";
        "forbidden", "proibido";
        "invalid data", "dados inválidos";
        "not found", "não encontrado";
        "rate limit", "limite de taxa";
        "timeout", "tempo esgotado";
        "server error", "erro do servidor";
    }
    failure: Failure {
        "timeout", "tempo esgotado";
        "connect", "conexão";
        "tls", "tls";
        "reset", "conexão perdida";
        "protocol", "protocolo";
        "too large", "grande demais";
        "headers too large", "cabeçalhos grandes demais";
        "redirects", "redirecionamentos";
        "unprocessed", "não processada";
        "channel", "canal";
        "file", "arquivo";
        "generator", "gerador";
        "circuit open", "circuito aberto";
        "stopped", "parada";
    }
    protocol: ChannelKind {
        "WebSocket", "WebSocket";
        "event stream", "fluxo de eventos";
    }
    phase: RequestPhase {
        "blocked", "bloqueio";
        "lookup", "resolução";
        "connect", "conexão";
        "tls", "tls";
        "sending", "envio";
        "waiting", "espera";
        "receiving", "recebimento";
    }
    ending: Ending {
        "completed", "concluídas";
        "abandoned", "abandonadas";
        "failed", "com erro";
        "crashed", "quebradas";
        "cut", "interrompidas";
    }
    breaker_state: BreakerState {
        "closed", "fechado";
        "half-open", "meio aberto";
        "open", "aberto";
    }
    hold: HoldReason {
        "for the breaker", "pelo disjuntor";
        "for retry-after", "por retry-after";
        "backing off", "recuo";
        "slowed down", "ritmo reduzido";
        "for logins", "por logins";
    }
    event_kind: EventKind {
        "behavior swapped", "comportamento trocado";
        "swap refused", "troca recusada";
        "swap rolled back", "troca desfeita";
        "breaker opened", "disjuntor abriu";
        "breaker closed", "disjuntor fechou";
        "logins paused", "logins pausados";
        "logins resumed", "logins retomados";
        "paused", "pausa";
        "resumed", "retomada";
        "generator at its limit", "gerador no limite";
        "generator late", "gerador atrasado";
        "aborted by its guard", "abortada pela guarda";
        "stopping", "parando";
    }
}
page {
    "target": "target", "alvo";
    "preset": "preset", "preset";
    "progress": "Progress of the run", "Andamento da execução";
    "skip": "Skip to the figures", "Ir para os números";
    "steer": "Steer the run", "Conduzir a execução";
    "figures-label": "Figures", "Números";
    "charts": "The last five minutes", "Os últimos cinco minutos";
    "highest": "highest", "máximo";
    "no-data": "no data yet", "ainda sem dados";
    "ago": "{n} s ago", "há {n} s";
    "phase-connecting": "Connecting", "Conectando";
    "phase-waiting": "Not begun", "Não iniciada";
    "phase-running": "Running", "Em execução";
    "phase-paused": "Paused", "Em pausa";
    "phase-stopping": "Stopping", "Parando";
    "phase-cleanup": "Cleaning up", "Limpando";
    "phase-done": "Ended", "Encerrada";
    "phase-lost": "Disconnected", "Desconectada";
    "lost-text": "The run does not answer. These are its last figures; the page keeps trying.", "A execução não responde. Estes são os últimos números; a página continua tentando.";
    "gone-text": "Another run listens at this address now: load the page again to see it.", "Outra execução usa este endereço agora: recarregue a página para vê-la.";
    "waiting-text": "The run has not begun yet.", "A execução ainda não começou.";
    "paused-text": "No new request leaves until you resume.", "Nenhuma requisição nova sai até você continuar.";
    "stopping-text": "Waiting for {n} requests under way.", "Aguardando {n} requisições em andamento.";
    "cleanup-text": "The load is over. What the run has created is being removed.", "A carga terminou. O que a execução criou está sendo removido.";
    "finished-text": "The run has ended: every user is done. These are its last figures.", "A execução terminou: todos os usuários acabaram. Estes são os últimos números.";
    "duration-text": "The run has ended: its time is over. These are its last figures.", "A execução terminou: seu tempo acabou. Estes são os últimos números.";
    "stopped-text": "The run has ended: somebody stopped it. These are its last figures.", "A execução terminou: alguém a parou. Estes são os últimos números.";
    "aborted-text": "The run has ended: its own guard stopped it. These are its last figures.", "A execução terminou: sua própria guarda a parou. Estes são os últimos números.";
    "failed-text": "The run has ended with an error: see its terminal. These are its last figures.", "A execução terminou com um erro: veja o terminal. Estes são os últimos números.";
    "breaker-text": "The target fails: the circuit breaker is {state}, and {n} users wait.", "O alvo falha: o disjuntor está {state}, e {n} usuários aguardam.";
    "pace-text": "The target turns requests away: the run goes {n} times slower.", "O alvo recusa requisições: a execução vai {n} vezes mais devagar.";
    "logins-text": "Logins are paused: the target refused too many.", "Os logins estão em pausa: o alvo recusou demais.";
    "of": "of {n}", "de {n}";
    "share-of": "{n} of {all}", "{n} de {all}";
    "in-all": "{n} in all", "{n} no total";
    "wanted-rate": "{n} wanted", "{n} desejadas";
    "errors-rate": "Unplanned failures per second", "Falhas não planejadas por segundo";
    "failures-note": "4xx, 5xx and no answer", "4xx, 5xx e sem resposta";
    "unplanned-note": "failures that nobody asked for", "falhas que ninguém pediu";
    "half": "half take less", "metade leva menos";
    "most": "19 of 20 take less", "19 de 20 levam menos";
    "p95-now": "p95 of each second", "p95 de cada segundo";
    "p95-max": "max {n}", "máx {n}";
    "generator-text": "CPU {cpu}, memory {memory}", "CPU {cpu}, memória {memory}";
    "pause": "Pause", "Pausar";
    "resume": "Resume", "Continuar";
    "stop": "Stop…", "Parar…";
    "halt": "End at once", "Encerrar já";
    "apply": "Apply", "Aplicar";
    "users-field": "Number of users", "Número de usuários";
    "stop-title": "Stop this run?", "Parar esta execução?";
    "stop-text": "No new request leaves, those under way finish, and what the run has created is removed. It cannot be taken back.", "Nenhuma requisição nova sai, as que estão em andamento terminam, e o que a execução criou é removido. Não dá para desfazer.";
    "stop-yes": "Stop the run", "Parar a execução";
    "no": "Go on", "Seguir";
    "close": "Close", "Fechar";
    "done-pause": "The run is paused.", "A execução está em pausa.";
    "done-resume": "The run goes on.", "A execução continua.";
    "done-stop": "The run is stopping.", "A execução está parando.";
    "done-users": "{n} users play from now on.", "{n} usuários jogam a partir de agora.";
    "token-title": "This run wants its token", "Esta execução pede o token";
    "token-text": "It is what --control-token or VESPEIRO_CONTROL_TOKEN says. This tab remembers it.", "É o que --control-token ou VESPEIRO_CONTROL_TOKEN diz. Esta aba o guarda.";
    "token": "Token", "Token";
    "enter": "Enter", "Entrar";
    "token-wrong": "That is not the token.", "Esse não é o token.";
    "unreachable": "The run does not answer.", "A execução não responde.";
    "swap": "Swap", "Trocar";
    "swap-file": "Swap {name}…", "Trocar {name}…";
    "swap-short": "Swap…", "Trocar…";
    "back": "Built-in", "Embutido";
    "back-long": "Swap {name} back to its built-in behavior", "Trocar {name} de volta ao comportamento embutido";
    "swap-hint": "Drop a .wasm module on an archetype, or choose one, to swap its behavior while the run goes on.", "Solte um módulo .wasm sobre um arquétipo, ou escolha um, para trocar o comportamento sem parar a execução.";
    "swap-drop": "Drop to swap {name}", "Solte para trocar {name}";
    "swap-share": "New sessions", "Sessões novas";
    "swap-mode": "Running sessions", "Sessões em curso";
    "swap-all": "all get it", "todas a recebem";
    "half-get": "half get it", "metade a recebe";
    "quarter-get": "one in 4 gets it", "uma em 4 a recebe";
    "tenth-get": "one in 10 gets it", "uma em 10 a recebe";
    "mode-drain": "finish on the old one", "terminam na antiga";
    "mode-now": "end at their next step", "acabam no próximo passo";
    "mode-migrate": "move with their state", "mudam com seu estado";
    "swapping": "{name}: compiling {file}…", "{name}: compilando {file}…";
    "swapped": "{name}: {before} → {now}", "{name}: {before} → {now}";
    "swapped-share": "{name}: {now} gets {n} of new sessions, {before} the rest", "{name}: {now} recebe {n} das sessões novas, {before} o resto";
    "unchanged": "{name}: {now} plays already", "{name}: {now} já está em jogo";
    "not-swapped": "{name} was not swapped: {why}", "{name} não foi trocado: {why}";
    "one-file": "one module at a time", "um módulo de cada vez";
    "more": "and {n} more", "e mais {n}";
    "mix-title": "Request mix", "Distribuição de requisições";
    "error-mix": "Error mix", "Distribuição de erros";
    "category": "Category", "Categoria";
    "time-phase": "Phase", "Fase";
    "class-success": "success", "sucesso";
    "class-client": "client error", "erro do cliente";
    "class-server": "server error", "erro do servidor";
    "recent-title": "Recent requests", "Requisições recentes";
    "time-of-day": "Time", "Hora";
    "request": "Request", "Requisição";
    "outcome": "Outcome", "Resultado";
    "news": "Swaps", "Trocas";
    "no-news": "No swap yet.", "Nenhuma troca ainda.";
    "on-purpose": "on purpose", "de propósito";
    "state-ok": "holds", "ok";
    "state-crossed": "crossed", "violado";
    "state-no-data": "no data", "sem dados";
}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_once_and_breaks_no_html() {
        for (at, (key, en, pt)) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|(k, ..)| k != key), "{key}");
            for word in [en, pt] {
                assert!(
                    !word.is_empty() && !word.contains(['<', '>', '&', '"']),
                    "{word}"
                );
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
        for (key, en, pt) in TABLE {
            assert_eq!(marks(en), marks(pt), "{key}");
        }
    }

    #[test]
    fn every_word_that_the_scripts_name_is_there() {
        const SCRIPTS: [&str; 2] = [
            include_str!("page/assets/actions.js"),
            include_str!("page/assets/render.js"),
        ];
        let mut seen = 0;
        for script in SCRIPTS {
            for before in ["words['", "say('", "lost('", "words."] {
                for rest in script.split(before).skip(1) {
                    let ends = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
                    let key = rest.split(ends).next().unwrap();
                    // The name of the file that has them.
                    if key != "js" {
                        assert!(TABLE.iter().any(|(k, ..)| *k == key), "{key}");
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 30, "{seen}");
        for phase in [
            "connecting",
            "waiting",
            "running",
            "paused",
            "stopping",
            "cleanup",
            "done",
            "lost",
        ] {
            let key = format!("phase-{phase}");
            assert!(TABLE.iter().any(|(k, ..)| *k == key), "{key}");
        }
    }

    #[test]
    fn the_words_go_into_the_text() {
        let text = "<h1>{{Users}}</h1><p>{{users}}</p>{{*}}";
        let filled = fill(text, Language::Portuguese);
        assert!(
            filled.starts_with("<h1>Usuários</h1><p>usuários</p>{"),
            "{filled}"
        );
        assert!(filled.contains("\"pause\":\"Pausar\""), "{filled}");
    }
}
