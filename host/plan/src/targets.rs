//! The further targets of a plan: `[targets.NAME]` tables, each the address of another service and what is different there.
//! Used by `resolve.rs`.
//!
//! What must stay true: who the run is to its own target, its headers and its certificate, is told to no other one.

use url::Url;

use crate::connections::Connections;
use crate::errors::{Origin, PlanError, ValueError};
use crate::layers::{Layer, NamedLayers, Reader, ResolvedSetting, stacked};
use crate::plan::Plan;
use crate::settings::connections;
use crate::settings::resilience::ResilienceSettings;
use crate::settings::target::Target;

/// What the run's own target is called where figures tell several apart.
pub const MAIN_TARGET: &str = "main";

/// Most further targets: each has connections of its own on each worker.
const MAX_TARGETS: usize = 32;

/// What a target may have of its own. They mean what the run's settings of these names mean, and what it lacks is the run's.
pub(crate) const KEYS: [&str; 30] = [
    "base_url",
    "insecure",
    "http",
    "connect_timeout",
    "request_timeout",
    "max_body",
    "header",
    "host_header",
    "user_agent",
    "compressed",
    "max_headers",
    "max_connections",
    "max_in_flight",
    "http2_connections",
    "http2_streams",
    "ca_cert",
    "client_cert",
    "client_key",
    "tls_min",
    "tls_max",
    "tls_resumption",
    "sni",
    "breaker",
    "breaker_threshold",
    "breaker_volume",
    "breaker_window",
    "breaker_cool_down",
    "breaker_probes",
    "backoff",
    "max_auth_failures",
];

/// Of these, what a target does not have from the run.
const OF_ONE_TARGET: [&str; 6] = [
    "base_url",
    "header",
    "host_header",
    "client_cert",
    "client_key",
    "sni",
];

/// Another service that the run plays against.
#[derive(Debug, Clone)]
pub struct NamedTarget {
    pub name: String,
    pub target: Target,
    pub connections: Connections,
    pub resilience: ResilienceSettings,
}

/// A target and the settings that it has of its own.
#[derive(Debug)]
pub struct ResolvedTarget {
    pub target: NamedTarget,
    pub settings: Vec<ResolvedSetting>,
    /// The highest source that has a setting of it.
    pub origin: Origin,
}

/// Makes targets of what the sources say, lowest first, beside a run whose own layers are `run`.
pub(crate) fn resolve(
    sources: Vec<NamedLayers>,
    run: &[Layer],
    plan: &Plan,
    errors: &mut Vec<PlanError>,
) -> Vec<ResolvedTarget> {
    let mut base = run.to_vec();
    for layer in &mut base {
        for key in OF_ONE_TARGET {
            layer.remove(key);
        }
    }
    let named = stacked(sources);
    if let Some((name, over)) = named.iter().nth(MAX_TARGETS) {
        let bad = ValueError::new(
            format!("a plan has at most {MAX_TARGETS} targets beside its own"),
            "play against the others in another run",
        );
        errors.push(bad.at(format!("targets.{name}"), &over.origin));
    }
    let mut all: Vec<ResolvedTarget> = Vec::new();
    for (name, own) in named {
        let (layer, origin) = (own.layer, own.origin);
        let layers: Vec<Layer> = base.iter().cloned().chain([layer.clone()]).collect();
        let mut r = Reader::new(&layers);
        let target = Target::read(&mut r);
        let resilience = ResilienceSettings::read(&mut r);
        let connections = connections::read(&mut r);
        let is_unix = target.base_url.scheme() == "unix";
        connections::fit(&mut r, plan, &connections, is_unix);
        let Reader {
            mut settings,
            errors: mut wrong,
            ..
        } = r;
        // What is wrong with the run's own is said already.
        wrong.retain(|error| layer.get(&error.key).is_some());
        let problem = if name == MAIN_TARGET {
            Some((
                "base_url",
                ValueError::new(
                    format!("{MAIN_TARGET:?} is what the run's own target is called"),
                    "choose another name",
                ),
            ))
        } else if layer.get("base_url").is_none() {
            Some((
                "base_url",
                ValueError::new(
                    "a target without an address",
                    "add base_url = \"http://localhost:9601\"",
                ),
            ))
        } else {
            let mut known = all.iter().map(|one| {
                let name = one.target.name.as_str();
                (name, &one.target.target.base_url)
            });
            let own = std::iter::once((MAIN_TARGET, &plan.target.base_url));
            let twin = own
                .chain(known.by_ref())
                .find(|(_, url)| is_same(url, &target.base_url));
            twin.filter(|_| wrong.is_empty()).map(|(twin, _)| {
                let problem = format!("the target {twin:?} has this address too");
                let fix = "give each target an address of its own, or a path of its own";
                ("base_url", ValueError::new(problem, fix))
            })
        };
        if let Some((key, error)) = problem {
            let at = layer.get(key).map_or(&origin, |(_, at)| at);
            wrong.push(error.at(key, at));
        }
        let table = format!("targets.{name}");
        errors.extend(wrong.into_iter().map(|error| error.under(&table)));
        settings.retain(|one| layer.get(one.setting.key).is_some());
        all.push(ResolvedTarget {
            target: NamedTarget {
                name,
                target,
                connections,
                resilience,
            },
            settings,
            origin,
        });
    }
    all
}

fn is_same(a: &Url, b: &Url) -> bool {
    a.as_str().trim_end_matches('/') == b.as_str().trim_end_matches('/')
}

/// A target of a plan, its own or a further one.
#[derive(Debug, Clone, Copy)]
pub struct TargetOf<'a> {
    pub name: &'a str,
    pub target: &'a Target,
    pub connections: &'a Connections,
    pub resilience: &'a ResilienceSettings,
}

impl Plan {
    /// Everything that the run plays against: its own target, then the others by name.
    pub fn all_targets(&self) -> impl Iterator<Item = TargetOf<'_>> {
        let main = TargetOf {
            name: MAIN_TARGET,
            target: &self.target,
            connections: &self.connections,
            resilience: &self.resilience,
        };
        let further = self.targets.iter().map(|one| TargetOf {
            name: &one.name,
            target: &one.target,
            connections: &one.connections,
            resilience: &one.resilience,
        });
        std::iter::once(main).chain(further)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::{Flags, Resolved, Sources, resolve};

    fn resolved(text: &str) -> Result<Resolved, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut flags = Flags {
            plan: Some(file.path().to_owned()),
            ..Flags::default()
        };
        flags.set("workers", "2", "--workers");
        let sources = Sources {
            base: None,
            flags,
            env: [],
        };
        resolve(sources).map_err(|errors| {
            let path = file.path().display().to_string();
            errors.to_string().replace(&path, "plan.toml")
        })
    }

    #[test]
    fn a_target_has_what_the_run_has_but_for_who_the_run_is() {
        let text = "base_url = 'http://localhost:1'\nheader = ['authorization: Bearer mine']\nmax_body = '2MiB'\n\
                    sni = 'one.test'\nbreaker_volume = 7\n\
                    [targets]\nplain = 'https://localhost:3'\n\
                    [targets.billing]\nbase_url = 'https://localhost:2/api'\nheader = { x-key = 'k' }\n\
                    insecure = true\nmax_connections = 4\nbreaker = 'off'\n";
        let Resolved { plan, origins } = resolved(text).unwrap();
        let names: Vec<_> = plan.all_targets().map(|one| one.name).collect();
        assert_eq!(names, ["main", "billing", "plain"]);
        let [billing, plain] = plan.targets.as_slice() else {
            panic!("{:?}", plan.targets)
        };
        assert_eq!(billing.target.base_url.as_str(), "https://localhost:2/api");
        assert_eq!(
            billing.connections.headers.0,
            [("x-key".to_owned(), "k".to_owned())]
        );
        assert!(billing.target.insecure && !plan.target.insecure);
        assert_eq!(billing.connections.max_connections, 4);
        assert_eq!(plan.connections.max_connections, 1024);
        assert_eq!(billing.target.max_body, 2 << 20);
        assert!(billing.resilience.breaker.is_none());
        assert!(plain.connections.headers.0.is_empty());
        assert_eq!(plain.connections.tls.sni, None);
        assert_eq!(plain.resilience.breaker.unwrap().volume, 7);
        let said: Vec<_> = origins.targets[0]
            .settings
            .iter()
            .map(|one| one.setting.key)
            .collect();
        assert_eq!(
            said,
            [
                "base_url",
                "insecure",
                "breaker",
                "max_connections",
                "header"
            ]
        );
    }

    #[test]
    fn what_is_wrong_with_a_target_is_one_line_with_its_place() {
        let text = "base_url = 'http://localhost:1'\n[targets.main]\nbase_url = 'http://localhost:2'\n\
                    [targets.a]\nmax_body = 1\n[targets.b]\nbase_url = 'localhost'\nmax_bdy = 1\n\
                    [targets.c]\nbase_url = 'http://localhost:1/'\n[targets.d]\nbase_url = 'http://localhost:9'\nmax_connections = 1\n";
        let errors = resolved(text).unwrap_err();
        let mut lines: Vec<&str> = errors.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "targets.a.base_url (plan.toml:4): a target without an address; add base_url = \"http://localhost:9601\"",
                "targets.b.base_url (plan.toml:7): \"localhost\" has no scheme; write it as http://localhost:9501",
                "targets.b.max_bdy (plan.toml:8): no such key; did you mean `max_body`?",
                "targets.c.base_url (plan.toml:10): the target \"main\" has this address too; give each target an address of its own, or a path of its own",
                "targets.d.max_connections (plan.toml:13): 2 workers need one each, and 1 are fewer; give 2 or more, or --workers 1",
                "targets.main.base_url (plan.toml:3): \"main\" is what the run's own target is called; choose another name",
            ]
        );
    }
}
