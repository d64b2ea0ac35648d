//! The manifests that `vespeiro kubernetes` prints: Kubernetes' own types know all of them, they hold the plan as it is, and what they
//! tell the containers to do is what one process does alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, Service as HeadlessService};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use crate::determinism::assert_same;
use crate::support::{
    Ended, Owned, Recording, command, eventually, example, free_address, vespeiro,
};

/// Text that YAML, shells and Kubernetes read something into, each in its way.
const ODD: &str =
    "# ---\n# {a: [b, *c]} $(HOME) $$ %d \"q\" 'q' \\ \u{e9}\u{1f41d}\n#\ttab  \nseed = 7\n";

/// A plan in a folder, beside what it names.
fn plan(folder: &Path) -> String {
    fs::create_dir_all(folder.join("load/of shops")).unwrap();
    fs::create_dir_all(folder.join("behaviors")).unwrap();
    fs::copy(
        example("registrar"),
        folder.join("behaviors/registrar.wasm"),
    )
    .unwrap();
    let mut rows = "username,email,password,name\r\n".to_owned();
    for row in 0..20 {
        rows += &format!("p{row},p{row}@example.test,Secret{row}!x,\"Ana \"\"{row}\"\"\"\r\n");
    }
    fs::write(folder.join("load/people.csv"), rows).unwrap();
    fs::write(folder.join("load/key.txt"), "of-a-file").unwrap();
    let text = format!(
        "{ODD}users = 12\nworkers = 1\ndelay_min = 0\ndelay_max = \"2ms\"\nduration = \"2m\"\n\
         min_request_count = 15\nmax_request_count = 30\nmix = \"off\"\nerror_mix = \"off\"\n\
         cleanup = \"never\"\nramp_up = 0\n\
         [secrets]\napi-key = \"API_KEY\"\nother = {{ file = \"../key.txt\" }}\n\
         [[archetype]]\nname = \"newcomer\"\nmodule = \"builtin:newcomer\"\n\
         [[archetype]]\nname = \"mine\"\nmodule = \"../../behaviors/registrar.wasm\"\nconfig = {{ feed = \"people\" }}\n\
         [feeds.people]\nfile = \"../people.csv\"\norder = \"once\"\n"
    );
    let path = folder.join("load/of shops/plan.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn printed(arguments: &[&str]) -> Ended {
    vespeiro(&[&["kubernetes", "--shards=3"], arguments].concat())
}

/// The objects in a text, by their kinds.
fn objects(text: &str) -> BTreeMap<String, Vec<Value>> {
    let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let all: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    for object in all {
        let kind = object["kind"].as_str().unwrap().to_owned();
        objects.entry(kind).or_default().push(object);
    }
    objects
}

/// The object as Kubernetes has it, which knows all of its fields.
fn known<T: DeserializeOwned + Serialize>(object: &Value) -> T {
    let known: T = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(&known).unwrap(), *object);
    known
}

/// What no schema says: words that Kubernetes knows, numbers and names that have to fit.
fn check(job: &Job) {
    let spec = job.spec.as_ref().unwrap();
    assert_eq!((spec.completions, spec.parallelism), (Some(3), Some(3)));
    assert_eq!(spec.completion_mode.as_deref(), Some("Indexed"));
    assert_eq!(spec.backoff_limit, Some(0));
    let rules = &spec.pod_failure_policy.as_ref().unwrap().rules;
    let codes = rules[0].on_exit_codes.as_ref().unwrap();
    assert_eq!((&*rules[0].action, &*codes.operator), ("FailJob", "NotIn"));
    let pod = spec.template.spec.as_ref().unwrap();
    assert_eq!(
        codes.container_name.as_deref(),
        Some(&*pod.containers[0].name)
    );
    assert_eq!(pod.restart_policy.as_deref(), Some("Never"));
    assert_eq!(pod.automount_service_account_token, Some(false));
    let spread = &pod.topology_spread_constraints.as_ref().unwrap()[0];
    assert_eq!(spread.when_unsatisfiable, "ScheduleAnyway");
    let own = pod.security_context.as_ref().unwrap();
    assert_eq!(own.run_as_non_root, Some(true));
    let own = pod.containers[0].security_context.as_ref().unwrap();
    assert_eq!(own.read_only_root_filesystem, Some(true));
    // 30 s of grace, 2 min of cleanup and 30 s to write; before it 2 min to start in and 2 min of load.
    assert_eq!(pod.termination_grace_period_seconds, Some(180));
    assert_eq!(spec.active_deadline_seconds, Some(420));
    // A pod is called as its job, its index and five letters.
    let name = job.metadata.name.as_deref().unwrap();
    assert!(name.len() <= 63 - "-9999-abcde".len(), "{name}");
    assert_eq!(pod.subdomain.as_deref(), Some(name));
    let volumes = pod.volumes.iter().flatten().map(|volume| &volume.name);
    let volumes: Vec<&String> = volumes.collect();
    let mounts = pod.containers[0].volume_mounts.iter().flatten();
    mounts.for_each(|mount| assert!(volumes.contains(&&mount.name), "{}", mount.name));
}

/// The folder that Kubernetes makes of the volume with the plan; `secret` has what the user has put there.
fn mounted(pod: &PodSpec, maps: &[ConfigMap], secret: &BTreeMap<String, String>, folder: &Path) {
    let volumes = pod.volumes.as_ref().unwrap();
    let volume = volumes.iter().find(|volume| volume.name == "plan").unwrap();
    let projected = volume.projected.as_ref().unwrap();
    for source in projected.sources.as_ref().unwrap() {
        let write = |path: &str, bytes: &[u8]| {
            assert!(
                !path.split('/').any(|part| part.starts_with("..")),
                "{path}"
            );
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        for item in source
            .secret
            .iter()
            .flat_map(|one| one.items.iter().flatten())
        {
            write(&item.path, secret[&item.key].as_bytes());
        }
        let Some(named) = &source.config_map else {
            continue;
        };
        let is_named = |map: &&ConfigMap| map.metadata.name.as_deref() == Some(&*named.name);
        let map = maps.iter().find(is_named).unwrap();
        for item in named.items.iter().flatten() {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            assert!(
                item.key.chars().all(fits) && item.key.len() <= 253,
                "{}",
                item.key
            );
            let text = map.data.as_ref().and_then(|data| data.get(&item.key));
            match text {
                Some(text) => write(&item.path, text.as_bytes()),
                None => write(&item.path, &map.binary_data.as_ref().unwrap()[&item.key].0),
            }
        }
    }
}

/// What a container's argument is to its program.
fn expanded(text: &str) -> String {
    assert!(!text.replace("$$", "").contains('$'), "{text}");
    text.replace("$$", "$")
}

/// A container as the kubelet starts it, with this folder in place of the root, and this address in place of the first one's name.
fn started(container: &Container, job: &str, index: usize, (root, first): (&Path, &str)) -> Owned {
    let inside = |path: &str| match path.starts_with('/') {
        true => root.join(&path[1..]).to_str().unwrap().to_owned(),
        false => path.to_owned(),
    };
    let arguments = container.args.iter().flatten().map(|text| expanded(text));
    let arguments = arguments.map(|text| match text.split_once("=/") {
        Some((flag, path)) => format!("{flag}={}", inside(&format!("/{path}"))),
        None => inside(&text.replace(&format!("{job}-0.{job}:7072"), first)),
    });
    let mut shard = command(env!("CARGO_BIN_EXE_vespeiro"));
    shard
        .args(arguments)
        .current_dir(inside(container.working_dir.as_ref().unwrap()))
        .env("HOSTNAME", format!("{job}-{index}"))
        .env("JOB_COMPLETION_INDEX", index.to_string())
        .env("VESPEIRO_CONTROL_TOKEN", "of-the-cluster-too")
        .env("API_KEY", "of-the-cluster");
    let log = fs::File::create(root.join(format!("log-{index}"))).unwrap();
    Owned(
        shard
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap(),
    )
}

#[test]
fn the_containers_of_a_job_play_what_one_process_plays_alone() {
    let folder = TempDir::new().unwrap();
    let file = plan(folder.path());
    let agent = "odd $(HOME) $$ 'q' \"q\" # \u{e9}";
    let alone = Recording::start();
    let mut one = command(env!("CARGO_BIN_EXE_vespeiro"));
    one.args([
        "run",
        "--no-panel",
        "--run-id=e2ekuber",
        "--journal=run.journal",
        "--max-connections=1",
    ])
    .args(["--plan", &file, "--base-url", &alone.url])
    .env("API_KEY", "of-the-cluster")
    .current_dir(folder.path());
    let one = one.output().unwrap();
    assert!(
        one.status.success(),
        "{}",
        String::from_utf8_lossy(&one.stderr)
    );

    let together = Recording::start();
    let flags = [
        "--",
        "--run-id=e2ekuber",
        "--max-connections=3",
        "--user-agent",
        agent,
    ];
    let at = ["--base-url", &together.url];
    let all = [&["--meet", &*file][..], &flags, &at].concat();
    let said = printed(&all).fine().stdout;
    let objects = objects(&said);
    let job: Job = known(&objects["Job"][0]);
    let service: HeadlessService = known(&objects["Service"][0]);
    let maps: Vec<ConfigMap> = objects["ConfigMap"].iter().map(known).collect();
    check(&job);
    let service = service.spec.unwrap();
    assert_eq!(service.cluster_ip.as_deref(), Some("None"));
    assert_eq!(service.publish_not_ready_addresses, Some(true));
    assert!(!said.contains("of-a-file") && !said.contains("of-the-cluster"));

    let root = TempDir::new().unwrap();
    let pod = job.spec.unwrap().template.spec.unwrap();
    let key = BTreeMap::from([("load_2fkey.txt".to_owned(), "of-a-file".to_owned())]);
    mounted(&pod, &maps, &key, &root.path().join("plan"));
    let copy = fs::read(root.path().join("plan/load/of shops/plan.toml")).unwrap();
    assert_eq!(copy, fs::read(&file).unwrap());
    let container = &pod.containers[0];
    let variables: BTreeMap<&str, Option<bool>> = container
        .env
        .iter()
        .flatten()
        .filter_map(|one| {
            let from = one.value_from.as_ref()?.secret_key_ref.as_ref()?;
            Some((&*one.name, from.optional))
        })
        .collect();
    // What the plan and the meeting cannot do without, and what may be there.
    for (name, optional) in [
        ("API_KEY", None),
        ("VESPEIRO_CONTROL_TOKEN", None),
        ("VESPEIRO_ADMIN_PASSWORD", Some(true)),
    ] {
        assert_eq!(variables[name], optional, "{name}");
    }
    let is_agent = |text: &String| expanded(text) == agent;
    assert!(container.args.iter().flatten().any(is_agent));
    let name = job.metadata.name.unwrap();
    let first = free_address();
    let start = |index| started(container, &name, index, (root.path(), &first));
    let mut shards: Vec<Owned> = (0..3).map(start).collect();
    for (index, shard) in shards.iter_mut().enumerate() {
        let status = eventually("the end of a shard", || shard.try_wait().unwrap());
        let log = fs::read_to_string(root.path().join(format!("log-{index}"))).unwrap();
        assert!(status.success(), "{log}");
        assert!(log.contains("3 shards meet at"), "{log}");
        // Shard 0 writes the whole.
        let summary = match index {
            0 => "results/summary.json".to_owned(),
            _ => format!("results/summary-{index}-of-3.json"),
        };
        assert!(root.path().join(summary).is_file(), "{log}");
    }
    assert_same(&alone.seen(), &together.seen());
}

#[test]
fn a_base_for_kustomize_has_the_same_objects_and_what_does_not_belong_there_is_refused() {
    let folder = TempDir::new().unwrap();
    let (file, base) = (plan(folder.path()), folder.path().join("base"));
    let own = ["--run-id=e2ekuber", "--base-url=http://shop.test"];
    let all = |options: &[&str]| printed(&[options, &[&*file, "--"], &own].concat());
    let options = [
        "--claim=load",
        "--cpus=4",
        "--memory=512MiB",
        "--image=shop.test/load:3",
    ];
    let said = all(&options).fine().stdout;
    let out = format!("--out={}", base.display());
    all(&[&options[..], &[&*out]].concat()).fine();
    let list = fs::read_to_string(base.join("kustomization.yaml")).unwrap();
    let list: Value = serde_saphyr::from_str(&list).unwrap();
    let files = list["resources"].as_array().unwrap().iter();
    let texts = files.map(|name| fs::read_to_string(base.join(name.as_str().unwrap())).unwrap());
    assert_eq!(texts.collect::<Vec<_>>().join("---\n"), said);
    let again = all(&[&*out]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    let job: Job = known(&objects(&said)["Job"][0]);
    let pod = job.spec.unwrap().template.spec.unwrap();
    let claim = pod
        .volumes
        .unwrap()
        .into_iter()
        .find_map(|one| one.persistent_volume_claim);
    assert_eq!(claim.unwrap().claim_name, "load");

    // Below the limit of one file, and above that of a ConfigMap: one each.
    let row = "x,".repeat(300_000) + "\n";
    fs::write(
        folder.path().join("load/people.csv"),
        format!("name,more\n{row}"),
    )
    .unwrap();
    fs::write(
        folder.path().join("behaviors/registrar.wasm"),
        vec![0xff; 600_000],
    )
    .unwrap();
    let maps = &objects(&all(&[]).fine().stdout)["ConfigMap"];
    assert_eq!(maps.len(), 2);
    fs::write(
        folder.path().join("behaviors/registrar.wasm"),
        vec![0; 2 << 20],
    )
    .unwrap();
    let refused = |options: &[&str], part: &str| {
        let ended = all(options);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_eq!(
            ended.stderr.trim_end().lines().count(),
            1,
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    };
    refused(&[], "--in-image");
    let inside = all(&["--in-image=/srv/load"]).fine().stdout;
    assert!(inside.contains("/srv/load/load/of shops/plan.toml") && !inside.contains("ConfigMap"));

    let edit = |from: &str, to: &str| {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
    };
    fs::copy(
        example("registrar"),
        folder.path().join("behaviors/registrar.wasm"),
    )
    .unwrap();
    let absolute = folder.path().join("behaviors/registrar.wasm");
    edit("../../behaviors/registrar.wasm", absolute.to_str().unwrap());
    refused(&[], "named from the root");
    edit(absolute.to_str().unwrap(), "../../behaviors/registrar.wasm");
    edit("users = 12", "users = 12\nadmin_password = \"Hidden12!\"");
    refused(&[], "put VESPEIRO_ADMIN_PASSWORD into the Secret");
    edit("\nadmin_password = \"Hidden12!\"", "");
    edit("config = {", "config = { password = \"Hidden12!\",");
    refused(&[], "sounds like a secret");
    edit(" password = \"Hidden12!\",", "");
    edit("duration = \"2m\"\n", "");
    refused(&[], "--time");
    all(&["--time=1h"]).fine();
}
