//! Words that only the page has; those that it shares with the text are in [`super::super::words`].

use vespeiro_plan::Language;
use vespeiro_summary::timeline::EventKind;

/// The words of one language.
#[derive(Debug)]
pub(super) struct PageWords {
    /// For the document's `lang`.
    pub(super) code: &'static str,
    pub(super) report: &'static str,
    pub(super) median: &'static str,
    pub(super) error_share: &'static str,
    pub(super) rate: &'static str,
    pub(super) over_time: &'static str,
    pub(super) no_time: &'static str,
    pub(super) chart_rate: &'static str,
    pub(super) chart_statuses: &'static str,
    pub(super) chart_users: &'static str,
    pub(super) chart_cpu: &'static str,
    pub(super) cores: &'static str,
    /// `{low}`, `{high}` and `{last}` are filled in.
    pub(super) spread: &'static str,
    /// What a focused chart does.
    pub(super) explore: &'static str,
    pub(super) figures: &'static str,
    pub(super) time: &'static str,
    pub(super) events: &'static str,
    pub(super) event: &'static str,
    pub(super) about: &'static str,
    /// `{}` is their number.
    pub(super) events_lost: &'static str,
    pub(super) totals: &'static str,
    pub(super) sort: &'static str,
    pub(super) held: &'static str,
    /// `{crossed}` and `{all}` are filled in.
    pub(super) crossed: &'static str,
    events_by_kind: [&'static str; EventKind::ALL.len()],
}

impl PageWords {
    pub(super) fn of(language: Language) -> &'static PageWords {
        match language {
            Language::English => &ENGLISH,
            Language::Portuguese => &PORTUGUESE,
        }
    }

    pub(super) fn kind(&self, kind: EventKind) -> &'static str {
        self.events_by_kind[kind as usize]
    }
}

static ENGLISH: PageWords = PageWords {
    code: "en",
    report: "load report",
    median: "median",
    error_share: "error rate",
    rate: "per second",
    over_time: "Over time",
    no_time: "This summary holds no figures over time.",
    chart_rate: "Requests per second",
    chart_statuses: "Answers per second, by status",
    chart_users: "Users and sessions",
    chart_cpu: "Generator: cores busy",
    cores: "cores",
    spread: "from {low} to {high}, {last} at the end",
    explore: "arrow keys move through the time",
    figures: "The figures behind the charts",
    time: "time",
    events: "Events",
    event: "event",
    about: "about",
    events_lost: "{} more events found no place here.",
    totals: "Totals",
    sort: "sort by",
    held: "all thresholds held",
    crossed: "{crossed} of {all} thresholds crossed",
    events_by_kind: [
        "behavior swapped",
        "swap refused",
        "swap rolled back",
        "breaker opened",
        "breaker closed",
        "logins paused",
        "logins resumed",
        "paused",
        "resumed",
        "generator at its limit",
        "generator late",
        "aborted by its guard",
        "stopping",
    ],
};

static PORTUGUESE: PageWords = PageWords {
    code: "pt-BR",
    report: "relatório de carga",
    median: "mediana",
    error_share: "taxa de erros",
    rate: "por segundo",
    over_time: "Ao longo do tempo",
    no_time: "Este resumo não traz números ao longo do tempo.",
    chart_rate: "Requisições por segundo",
    chart_statuses: "Respostas por segundo, por status",
    chart_users: "Usuários e sessões",
    chart_cpu: "Gerador: núcleos ocupados",
    cores: "núcleos",
    spread: "de {low} a {high}, {last} no fim",
    explore: "as setas percorrem o tempo",
    figures: "Os números por trás dos gráficos",
    time: "tempo",
    events: "Eventos",
    event: "evento",
    about: "sobre",
    events_lost: "Mais {} eventos não couberam aqui.",
    totals: "Totais",
    sort: "ordenar por",
    held: "todos os limiares respeitados",
    crossed: "{crossed} de {all} limiares violados",
    events_by_kind: [
        "comportamento trocado",
        "troca recusada",
        "troca desfeita",
        "disjuntor abriu",
        "disjuntor fechou",
        "logins pausados",
        "logins retomados",
        "pausa",
        "retomada",
        "gerador no limite",
        "gerador atrasado",
        "abortada pela guarda",
        "parando",
    ],
};
