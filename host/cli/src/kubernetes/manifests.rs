//! The manifests: ConfigMaps for the plan and its files, a headless Service by which the shards find each other, and the Job. Plain
//! objects of Kubernetes alone, so that they can be read, changed and kept like any others.
//!
//! What must stay true: whatever stands in a plan, a path or a flag reaches the program as it is.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::files::{File, Files};
use crate::exit::Misuse;
use crate::sharded::Job;

/// Given to every shard by the Job.
pub(super) const OWN_FLAGS: [&str; 4] = [
    "--no-panel",
    "--shard=none",
    "--results=/results",
    "--journal=/results/run.journal",
];

/// Where the containers have the plan and its files, unless they are in the image.
const PLAN: &str = "/plan";
/// Bytes of one ConfigMap.
const MAX_CONFIG_MAP: usize = 1 << 20;
/// Who plays in the container: nobody whom the image or the node knows.
const USER: u32 = 65532;
/// Where the first shard is found by the others, at the name that the Service gives it.
const MEETING: u16 = 7072;
/// Without it nobody is let in.
const TOKEN: &str = "VESPEIRO_CONTROL_TOKEN";
/// How long a Job that has ended can be asked for its logs.
const KEPT: u32 = 24 * 3600;

/// What is asked of Kubernetes.
pub(super) struct Asked<'a> {
    pub(super) shards: u32,
    pub(super) cpus: u32,
    /// In bytes.
    pub(super) memory: u64,
    pub(super) time: Duration,
    pub(super) image: &'a str,
    pub(super) secret: &'a str,
    pub(super) claim: Option<&'a str>,
    pub(super) meet: bool,
    pub(super) in_image: Option<&'a str>,
}

/// One object, and the name of its file in a base for Kustomize.
pub(super) struct Manifest {
    file: String,
    /// Said above it, a line each.
    notes: Vec<String>,
    pub(super) object: Value,
}

/// The name of an object.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    let part = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=63).contains(&text.len())
        && text.bytes().all(|c| part(c) || c == b'-')
        && text.starts_with(|c: char| c != '-')
        && text.ends_with(|c: char| c != '-');
    let problem = "use 1 to 63 lower-case letters, digits and -, which is neither first nor last";
    fits.then(|| text.to_owned()).ok_or(problem)
}

pub(super) fn manifests(
    job: &Job,
    files: &Files,
    asked: &Asked<'_>,
) -> Result<Vec<Manifest>, Misuse> {
    let run = &job.plan.run_id;
    let name = format!("vespeiro-{run}");
    let labels = json!({ "app.kubernetes.io/name": "vespeiro", "vespeiro/run": run });
    let mut all = Vec::new();
    let mut sources = Vec::new();
    if asked.in_image.is_none() {
        for (number, files) in shared_out(&files.open).into_iter().enumerate() {
            let name = format!("{name}-plan-{number}");
            let (map, items) = config_map(&name, &labels, &files);
            sources.push(json!({ "configMap": { "name": name, "items": items } }));
            all.push(Manifest {
                file: format!("plan-{number}.yaml"),
                notes: Vec::new(),
                object: map,
            });
        }
    }
    let hidden: Vec<(String, &str)> = files
        .hidden
        .iter()
        .map(|path| (key(path), path.as_str()))
        .collect();
    if !hidden.is_empty() && asked.in_image.is_none() {
        let items: Vec<Value> = hidden.iter().map(|(key, path)| item(key, path)).collect();
        sources.push(json!({ "secret": { "name": asked.secret, "items": items } }));
    }
    all.push(Manifest {
        file: "service.yaml".into(),
        notes: Vec::new(),
        object: service(&name, &labels),
    });
    let object = of_job(&name, &labels, job, files, asked, sources)?;
    all.push(Manifest {
        file: "job.yaml".into(),
        notes: Vec::new(),
        object,
    });
    all[0].notes = notes(&name, run, files, &hidden, asked);
    Ok(all)
}

/// What whoever applies them has to know.
fn notes(
    name: &str,
    run: &str,
    files: &Files,
    hidden: &[(String, &str)],
    asked: &Asked<'_>,
) -> Vec<String> {
    let mut notes = vec![
        format!("{} shards of one plan as a Job. Start it by `kubectl create -f`, or `kubectl apply --server-side -f`:", asked.shards),
        "a plain `apply` repeats each object in an annotation, which modules do not fit into. To play again, print it anew.".into(),
        format!("See it: kubectl logs --prefix --tail=-1 --selector vespeiro/run={run}"),
        format!("Wait for it: kubectl wait job/{name} --for=condition=Complete, or =Failed"),
        "The image needs CA certificates where the target speaks TLS.".into(),
    ];
    let token = asked.meet && !files.variables.iter().any(|name| name == TOKEN);
    let variables = files.variables.iter().map(String::as_str);
    let variables: Vec<&str> = variables.chain(token.then_some(TOKEN)).collect();
    if !variables.is_empty() || !hidden.is_empty() {
        let secret = asked.secret;
        notes.push(format!(
            "Before it, a Secret {secret} in the same namespace, with these keys:"
        ));
        notes.extend(variables.iter().map(|name| format!("- {name}")));
        if asked.in_image.is_none() {
            // A path may hold anything.
            let keys = hidden
                .iter()
                .map(|(key, path)| format!("- {key}: the file {path:?}"));
            notes.extend(keys);
        }
    }
    notes.push(match asked.claim {
        Some(claim) => format!("Results and journals are in the volume of {claim}, in the folder {name}: `vespeiro report` and, after a pod was killed, `vespeiro cleanup` read them there."),
        None => "Results and journals go with the pods. A pod that is killed leaves what it has made: --claim keeps its journal for `vespeiro cleanup`.".into(),
    });
    notes
}

/// As few groups as a ConfigMap's size allows.
fn shared_out(files: &[File]) -> Vec<Vec<&File>> {
    let mut groups: Vec<(usize, Vec<&File>)> = Vec::new();
    for file in files {
        // Names count too.
        let bytes = file.bytes.len() + file.path.len() + 64;
        let fits = |(used, _): &&mut (usize, _)| *used + bytes <= MAX_CONFIG_MAP;
        match groups.iter_mut().find(fits) {
            Some((used, group)) => {
                *used += bytes;
                group.push(file);
            }
            None => groups.push((bytes, vec![file])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn config_map(name: &str, labels: &Value, files: &[&File]) -> (Value, Vec<Value>) {
    let (mut texts, mut others) = (Map::new(), Map::new());
    let mut items = Vec::new();
    for file in files {
        let key = key(&file.path);
        items.push(item(&key, &file.path));
        match std::str::from_utf8(&file.bytes) {
            Ok(text) => texts.insert(key, text.into()),
            Err(_) => others.insert(key, STANDARD.encode(&file.bytes).into()),
        };
    }
    let mut map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": name, "labels": labels },
        "immutable": true,
    });
    for (field, entries) in [("data", texts), ("binaryData", others)] {
        if !entries.is_empty() {
            map[field] = Value::Object(entries);
        }
    }
    (map, items)
}

fn item(key: &str, path: &str) -> Value {
    json!({ "key": key, "path": path })
}

/// Another one for every path: letters, digits, `-` and `.` stand for themselves, all else for its bytes.
fn key(path: &str) -> String {
    let mut key = String::new();
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'.' if at > 0 => key.push('.'),
            b'-' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => key.push(byte.into()),
            byte => key.push_str(&format!("_{byte:02x}")),
        }
    }
    key
}

fn service(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "clusterIP": "None",
            // Shards look for each other before they are ready.
            "publishNotReadyAddresses": true,
            "selector": { "batch.kubernetes.io/job-name": name },
        },
    })
}

fn of_job(
    name: &str,
    labels: &Value,
    job: &Job,
    files: &Files,
    asked: &Asked<'_>,
    sources: Vec<Value>,
) -> Result<Value, Misuse> {
    let root = asked.in_image.unwrap_or(PLAN).trim_end_matches('/');
    let below = |path: &str| format!("{root}/{path}").trim_end_matches('/').to_owned();
    let mut arguments = vec!["run".to_owned(), "--plan".into(), below(&files.plan)];
    arguments.extend(["--shard".into(), format!("auto/{}", asked.shards)]);
    let names_run = |flag: &String| flag == "--run-id" || flag.starts_with("--run-id=");
    if !job.flags.iter().any(names_run) {
        arguments.extend(["--run-id".into(), job.plan.run_id.clone()]);
    }
    let own = OWN_FLAGS.iter().filter(|flag| !flag.starts_with("--shard"));
    arguments.extend(own.map(|flag| (*flag).to_owned()));
    if asked.meet {
        arguments.extend(["--meet".into(), format!("{name}-0.{name}:{MEETING}")]);
    }
    arguments.extend(job.flags.iter().cloned());
    // What follows a $ may name a variable.
    let arguments: Vec<String> = arguments
        .iter()
        .map(|text| text.replace('$', "$$"))
        .collect();
    let mut mounts = vec![json!({ "name": "results", "mountPath": "/results" })];
    let mut volumes = vec![match asked.claim {
        Some(claim) => {
            json!({ "name": "results", "persistentVolumeClaim": { "claimName": claim } })
        }
        None => json!({ "name": "results", "emptyDir": {} }),
    }];
    if asked.claim.is_some() {
        mounts[0]["subPath"] = name.into();
    }
    if asked.in_image.is_none() {
        mounts.push(json!({ "name": "plan", "mountPath": PLAN, "readOnly": true }));
        volumes.push(json!({ "name": "plan", "projected": { "sources": sources } }));
    }
    let stopping = job.stopping.as_secs();
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "completionMode": "Indexed",
            "completions": asked.shards,
            "parallelism": asked.shards,
            // A shard that begins anew would play another part than the one that is gone.
            "backoffLimit": 0,
            "activeDeadlineSeconds": asked.time.as_secs(),
            "ttlSecondsAfterFinished": KEPT,
            "podFailurePolicy": { "rules": [{
                "action": "FailJob",
                "onExitCodes": { "containerName": "vespeiro", "operator": "NotIn", "values": [0] },
            }] },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "subdomain": name,
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": stopping,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": USER,
                        "fsGroup": USER,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "topologySpreadConstraints": [{
                        "maxSkew": 1,
                        "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": { "matchLabels": { "vespeiro/run": job.plan.run_id } },
                    }],
                    "containers": [{
                        "name": "vespeiro",
                        "image": asked.image,
                        "args": arguments,
                        "workingDir": below(&files.folder),
                        "env": environment(job, files, asked)?,
                        "resources": resources(asked),
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "capabilities": { "drop": ["ALL"] },
                        },
                        "volumeMounts": mounts,
                    }],
                    "volumes": volumes,
                },
            },
        },
    }))
}

/// The variables that the Secret has: those that the plan's secrets name, which have to be there, and the settings that may be
/// given in no other way.
fn environment(job: &Job, files: &Files, asked: &Asked<'_>) -> Result<Vec<Value>, Misuse> {
    let from_secret = |name: &str, optional: bool| {
        let mut reference = json!({ "name": asked.secret, "key": name });
        if optional {
            reference["optional"] = true.into();
        }
        json!({ "name": name, "valueFrom": { "secretKeyRef": reference } })
    };
    // Compiled behaviors are kept there.
    let mut all = vec![json!({ "name": "XDG_CACHE_HOME", "value": "/results/cache" })];
    for name in &files.variables {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(part) {
            return Err(Misuse(format!(
                "{name:?} is no name for a variable in a container: use letters, digits and _"
            )));
        }
        all.push(from_secret(name, false));
    }
    let settings = job.origins.settings.iter().map(|line| &line.setting);
    let hidden = settings.filter(|setting| setting.kind.is_secret());
    let hidden = hidden.map(|setting| setting.variable());
    all.extend(
        hidden
            .filter(|name| !files.variables.contains(name))
            .map(|name| from_secret(&name, !(asked.meet && name == TOKEN))),
    );
    Ok(all)
}

fn resources(asked: &Asked<'_>) -> Value {
    let memory = match asked.memory {
        bytes if bytes % (1 << 20) == 0 => format!("{}Mi", bytes >> 20),
        bytes => bytes.to_string(),
    };
    json!({
        "requests": { "cpu": asked.cpus.to_string(), "memory": memory },
        // No limit of the processor: a generator that is held back measures itself.
        "limits": { "memory": memory },
    })
}

/// All in one text.
pub(super) fn text(manifests: &[Manifest]) -> Result<String, Misuse> {
    let texts = manifests.iter().map(Manifest::text);
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join("---\n"))
}

/// The files of a base for Kustomize.
pub(super) fn base(manifests: &[Manifest]) -> Result<Vec<(String, String)>, Misuse> {
    let names: Vec<&str> = manifests.iter().map(|one| one.file.as_str()).collect();
    let list = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": names,
    });
    let mut files = vec![("kustomization.yaml".to_owned(), yaml(&list)?)];
    for manifest in manifests {
        files.push((manifest.file.clone(), manifest.text()?));
    }
    Ok(files)
}

impl Manifest {
    fn text(&self) -> Result<String, Misuse> {
        let notes = self.notes.iter().map(|note| format!("# {note}\n"));
        Ok(notes.collect::<String>() + &yaml(&self.object)?)
    }
}

fn yaml(object: &Value) -> Result<String, Misuse> {
    let text = serde_saphyr::to_string(object);
    let text = text.map_err(|error| Misuse(format!("a manifest cannot be written: {error}")))?;
    Ok(text.trim_end().to_owned() + "\n")
}
