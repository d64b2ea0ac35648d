//! Every output of a run fails alone: none holds the run, its signals, its guards or its end up, and the others are
//! written.

use std::fs::{self, File};
use std::io::{Read as _, Write as _, pipe};
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Ended, Fickle, Prometheus, Running, Service, command, eventually, example, free_address, get,
    vespeiro,
};

/// People who never pause for long, until somebody ends the run.
const LOAD: &str = "--users 5 --min-request-count 1000000 --max-request-count 1000000 --delay-min 5 --delay-max 20 \
     --mix off --error-mix off";
/// How much longer than its load a run may take: far less than the time-outs that would hold it up.
const SLACK: Duration = Duration::from_secs(25);

/// A folder with the files of one run.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The command line of a run with a journal here; `{}` is this folder.
    fn arguments(&self, url: &str, more: &str) -> Vec<String> {
        let folder = self.0.path().display().to_string();
        let text = format!("run --base-url {url} --journal {{}}/run.journal {LOAD} {more}");
        let words = text.split_whitespace();
        words.map(|word| word.replace("{}", &folder)).collect()
    }

    fn start(
        &self,
        url: &str,
        more: &str,
        stdout: Option<Stdio>,
        stderr: Option<Stdio>,
    ) -> Running {
        let arguments = self.arguments(url, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Running::start_on(&arguments, stdout, stderr)
    }

    fn run(&self, url: &str, more: &str) -> Ended {
        self.start(url, more, None, None).ended()
    }
}

/// A pipe that takes not one byte more, and the end that could empty it.
fn full_pipe() -> (std::io::PipeReader, Stdio) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'.'; 65_536]).unwrap();
    (reader, writer.into())
}

/// A terminal: the side of whoever looks at it, and the side of the program.
fn terminal() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let mut options = File::options();
    let slave = options.read(true).write(true).open(name.to_str().unwrap());
    let slave = slave.unwrap();
    (File::from(master), slave)
}

fn requests(summary: &Value) -> u64 {
    summary["total"]["requests"].as_u64().unwrap()
}

/// The summary of a run that was to last two seconds, and did.
#[track_caller]
fn two_seconds(files: &Files, service: &Service, ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let summary = files.json("summary.json");
    let elapsed = summary["run"]["elapsed_seconds"].as_f64().unwrap();
    assert!((1.9..8.0).contains(&elapsed), "{elapsed}");
    assert!(requests(&summary) > 0);
    // What was created is gone again: the cleanup was not held up either.
    assert_eq!(summary["cleanup"]["left"], 0, "{summary}");
    assert!(!files.path("run.journal").exists());
    assert!(service.answered() >= requests(&summary));
}

#[test]
fn a_terminal_that_is_not_read_holds_nothing_up() {
    let service = Service::start();
    let files = Files::new();
    let (mut screen, terminal) = terminal();
    let started = Instant::now();
    let run = files.start(
        &service.url,
        "--duration 2s --summary-json {}/summary.json",
        None,
        Some(terminal.into()),
    );
    let mut seen = [0; 64];
    assert!(screen.read(&mut seen).unwrap() > 0, "the panel");
    // Ctrl-S.
    screen.write_all(&[0x13]).unwrap();
    let ended = run.ended();
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
    two_seconds(&files, &service, &ended);
    assert!(ended.stdout.contains("Vespeiro"), "{}", ended.stdout);
}

#[test]
fn a_pipe_that_nobody_empties_holds_nothing_up() {
    let service = Service::start();
    for of in ["stderr", "stdout"] {
        let files = Files::new();
        let (_reader, full) = full_pipe();
        let (stdout, stderr) = match of {
            "stderr" => (None, Some(full)),
            _ => (Some(full), None),
        };
        let started = Instant::now();
        let more = "--duration 2s --log debug --summary-json {}/summary.json";
        let ended = files.start(&service.url, more, stdout, stderr).ended();
        assert!(started.elapsed() < SLACK, "{of}: {:?}", started.elapsed());
        two_seconds(&files, &service, &ended);
        if of == "stdout" {
            let said = "the text summary was not taken";
            assert!(ended.stderr.contains(said), "{}", ended.stderr);
        }
    }
}

#[test]
fn lines_that_are_lost_are_counted_and_told() {
    let service = Service::start();
    let files = Files::new();
    let (mut reader, full) = full_pipe();
    let metrics = free_address();
    let run = files.start(
        &service.url,
        &format!("--log debug --metrics {metrics}"),
        None,
        Some(full),
    );
    eventually("more lines than may wait", || {
        let page = get(&metrics, "/metrics").ok()?;
        let sent = page
            .lines()
            .filter(|line| line.starts_with("vespeiro_requests_total"));
        let sent = sent.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        (sent.sum::<f64>() > 3_000.0).then_some(())
    });
    run.signal("INT");
    let mut all = String::new();
    reader.read_to_string(&mut all).unwrap();
    let ended = run.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = all
        .lines()
        .find(|line| line.contains("lines are missing here"));
    let count = told.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    assert!(count.is_some_and(|count| count > 100), "{told:?}");
}

#[test]
fn signals_reach_a_run_whose_log_nobody_reads() {
    let service = Service::with(&["--latency", "60s"]);
    // Takes connections and never answers: the last push waits for it.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let files = Files::new();
    let (_reader, full) = full_pipe();
    let metrics = free_address();
    let more = format!(
        "--metrics {metrics} --cleanup never --remote-write http://{}/",
        hole.local_addr().unwrap()
    );
    let run = files.start(&service.url, &more, None, Some(full));
    eventually("the start of the run", || get(&metrics, "/metrics").ok());
    // A line is due every five seconds: the run has something to say that nobody hears.
    sleep(Duration::from_secs(6));
    let asked = Instant::now();
    let mut run = run;
    let status = eventually("the end of the run", || {
        run.signal("TERM");
        sleep(Duration::from_millis(100));
        run.has_ended()
    });
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(status.code(), Some(128 + 15));
}

#[test]
fn a_guard_ends_a_run_whose_log_nobody_reads() {
    let target = Fickle::start();
    let files = Files::new();
    let (_reader, full) = full_pipe();
    let more = format!(
        "--cleanup never --log debug --guest-timeout 10s --archetype first={} --abort-on error_rate>50%:1s \
         --summary-json {{}}/summary.json",
        example("first").display()
    );
    let run = files.start(&target.url, &more, None, Some(full));
    eventually("a beginning that is well", || {
        (target.answered() > 500).then_some(())
    });
    target.fail();
    let ended = run.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(files.json("summary.json")["aborted"]["cause"], "abort-on");
}

#[test]
fn a_stream_that_is_closed_or_fails_costs_itself_alone() {
    let service = Service::start();
    let full = || {
        Some(Stdio::from(
            File::options().write(true).open("/dev/full").unwrap(),
        ))
    };
    let gone = || {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        Some(Stdio::from(writer))
    };
    let more = "--duration 1s --summary-json {}/summary.json --html {}/page.html";
    let play = |stdout, stderr| {
        let files = Files::new();
        let ended = files
            .start(&service.url, more, stdout, stderr)
            .ended()
            .orderly();
        assert!(requests(&files.json("summary.json")) > 0);
        assert!(files.read("page.html").ends_with("</html>"));
        ended
    };
    assert_eq!(play(None, full()).code, Some(0));
    assert_eq!(play(None, gone()).code, Some(0));
    // A reader that has seen enough may go; a disk that is full is a summary less.
    assert_eq!(play(gone(), None).code, Some(0));
    let ended = play(full(), None);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = "cannot write the text summary to standard output";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    // `2>&-`.
    let files = Files::new();
    let command = format!(
        "exec {} {} 2>&-",
        env!("CARGO_BIN_EXE_vespeiro"),
        files.arguments(&service.url, more).join(" ")
    );
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", &command]).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(requests(&files.json("summary.json")) > 0);
}

fn full() -> Stdio {
    Stdio::from(File::options().write(true).open("/dev/full").unwrap())
}

#[test]
fn a_command_without_a_run_does_not_panic_when_nobody_reads() {
    for arguments in [&["run", "--users", "-1"][..], &["plan"]] {
        let ended = Running::start_on(arguments, Some(full()), Some(full())).ended();
        assert!(
            ended.code.is_some_and(|code| (1..=2).contains(&code)),
            "{arguments:?}: {ended:?}"
        );
    }
}

#[test]
fn what_a_command_could_not_print_is_told_and_is_no_success() {
    let service = Service::start();
    let files = Files::new();
    files.run(
        &service.url,
        "--duration 1s --cleanup never --summary-json {}/run.json",
    );
    let module = example("first");
    let module = module.to_str().unwrap();
    let (run, journal) = (files.path("run.json"), files.path("run.journal"));
    let run = run.to_str().unwrap();
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["dashboard"],
        &["report", run],
        &["check", module],
        &["rehearse", module],
        &["cleanup", journal.to_str().unwrap()],
        &["serve", "--port", "0"],
        &["--version"],
        &["run", "--help"],
    ] {
        let ended = Running::start_on(arguments, Some(full()), None).ended();
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        let last = ended.stderr.lines().last().unwrap();
        let said = "error: cannot write to standard output: No space left on device";
        assert!(last.starts_with(said), "{arguments:?}: {last}");
        // A reader that has seen enough is no loss.
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        if !["cleanup", "serve"].contains(&arguments[0]) {
            let ended = Running::start_on(arguments, Some(writer.into()), None).ended();
            assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        }
    }
    // Files of a run, where the disk is full.
    for (flag, name) in [
        ("--timeseries", "full.csv"),
        ("--summary-json", "full.json"),
        ("--html", "full.html"),
        ("--junit", "full.xml"),
    ] {
        let files = Files::new();
        std::os::unix::fs::symlink("/dev/full", files.path(name)).unwrap();
        let more = format!("--duration 2s {flag} {{}}/{name}");
        let ended = files.run(&service.url, &more);
        assert_eq!(ended.code, Some(1), "{flag}: {ended:?}");
        assert!(
            ended.stderr.contains("No space left on device"),
            "{flag}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_hung_receiver_holds_nothing_up() {
    let service = Service::start();
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let hole = hole.local_addr().unwrap();
    let files = Files::new();
    let started = Instant::now();
    let ended = files.run(
        &service.url,
        &format!(
            "--duration 2s --push-interval 200ms --remote-write http://{hole}/ --otlp http://{hole}/ \
             --summary-json {{}}/summary.json"
        ),
    );
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
    two_seconds(&files, &service, &ended);
    for flag in ["--remote-write", "--otlp"] {
        let told = ended.stderr.lines().filter(|line| line.contains(flag));
        assert!(
            told.clone().any(|line| line.contains("were not taken")),
            "{}",
            ended.stderr
        );
    }
}

/// Of what stood in a file before: more of it than chance puts into a histogram's base64.
const OLD: &str = "xxxxxxxxxxxxxxxx";

const FILES: [(&str, &str); 4] = [
    ("--summary-json", "summary"),
    ("--junit", "JUnit report"),
    ("--html", "page"),
    ("--timeseries", "time series"),
];

#[test]
fn one_file_that_fails_leaves_the_others_whole() {
    let service = Service::start();
    for (failing, name) in FILES {
        let files = Files::new();
        symlink("/dev/full", files.path("full.csv")).unwrap();
        let mut more = "--duration 2s".to_owned();
        for (flag, _) in FILES {
            let file = if flag == failing { "full" } else { &flag[2..] };
            more += &format!(" {flag} {{}}/{file}.csv");
        }
        let ended = files.run(&service.url, &more).orderly();
        assert_eq!(ended.code, Some(1), "{failing}: {ended:?}");
        let said = format!(
            "cannot write the {name} {}",
            files.path("full.csv").display()
        );
        assert!(ended.stderr.contains(&said), "{failing}: {}", ended.stderr);
        assert!(
            ended.stdout.contains("Vespeiro"),
            "{failing}: {}",
            ended.stdout
        );
        let whole = |flag: &str| flag != failing;
        if whole("--summary-json") {
            assert!(requests(&files.json("summary-json.csv")) > 0);
        }
        if whole("--junit") {
            assert!(files.read("junit.csv").contains("</testsuites>"));
        }
        if whole("--html") {
            assert!(files.read("html.csv").ends_with("</html>"));
        }
        if whole("--timeseries") {
            assert!(files.read("timeseries.csv").lines().count() > 1);
        }
        let kind = fs::symlink_metadata(files.path("full.csv"))
            .unwrap()
            .file_type();
        assert!(kind.is_symlink(), "{failing}: the link was replaced");
    }
}

#[test]
fn what_is_no_regular_file_is_written_through() {
    let service = Service::start();
    for (flag, _) in FILES {
        let files = Files::new();
        let fifo = files.path("fifo.csv");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let reader = std::thread::spawn({
            let fifo = fifo.clone();
            move || fs::read_to_string(fifo).unwrap()
        });
        let ended = files.run(&service.url, &format!("--duration 1s {flag} {{}}/fifo.csv"));
        assert_eq!(ended.code, Some(0), "{flag}: {ended:?}");
        // It would wait for ever on a pipe that was replaced.
        assert!(
            fs::symlink_metadata(&fifo).unwrap().file_type().is_fifo(),
            "{flag}"
        );
        let text = reader.join().unwrap();
        assert!(text.len() > 100, "{flag}: {text:?}");
        // A link, to a file in a folder of its own and to one that is not there yet.
        fs::create_dir(files.path("there")).unwrap();
        fs::write(files.path("there/file"), "x".repeat(3_000_000)).unwrap();
        for (link, target) in [("link.csv", "there/file"), ("dangling.csv", "there/new")] {
            symlink(files.path(target), files.path(link)).unwrap();
            let ended = files.run(&service.url, &format!("--duration 1s {flag} {{}}/{link}"));
            assert_eq!(ended.code, Some(0), "{flag}: {ended:?}");
            assert!(fs::symlink_metadata(files.path(link)).unwrap().is_symlink());
            let text = files.read(target);
            assert!(text.len() > 100 && !text.contains(OLD), "{flag} {link}");
        }
        assert_eq!(
            fs::read_dir(files.path("there")).unwrap().count(),
            2,
            "drafts"
        );
    }
}

/// As a container has it whose result is a file of its host. Whoever is not root becomes it in a user namespace.
#[test]
fn a_file_that_is_a_mount_of_its_own_is_written_through() {
    const MOUNTED: &str = r#"mount --bind "$1" "$2" && shift 2 && exec "$@""#;
    let is_root = rustix::process::geteuid().is_root();
    let namespaces: &[&str] = match is_root {
        true => &["--mount"],
        false => &["--map-root-user", "--mount"],
    };
    let service = Service::start();
    for (flag, _) in FILES {
        let files = Files::new();
        fs::create_dir(files.path("there")).unwrap();
        fs::write(files.path("there/file"), "x".repeat(3_000_000)).unwrap();
        fs::write(files.path("mount.csv"), "below the mount").unwrap();
        let run = command("unshare")
            .args(namespaces)
            .args(["sh", "-c", MOUNTED, "sh"])
            .args([files.path("there/file"), files.path("mount.csv")])
            .arg(env!("CARGO_BIN_EXE_vespeiro"))
            .args(files.arguments(
                &service.url,
                &format!("--duration 1s {flag} {{}}/mount.csv"),
            ))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{flag}: {said}");
        let text = files.read("there/file");
        assert!(text.len() > 100 && !text.contains(OLD), "{flag}: {said}");
        assert_eq!(files.read("mount.csv"), "below the mount", "{flag}");
        let left = fs::read_dir(files.0.path()).unwrap().count();
        assert_eq!(left, 2, "{flag}: a draft is left");
    }
}

#[test]
fn a_fifo_that_nobody_reads_holds_nothing_up() {
    let service = Service::start();
    let files = Files::new();
    let made = std::process::Command::new("mkfifo")
        .arg(files.path("fifo.csv"))
        .status();
    assert!(made.unwrap().success());
    let started = Instant::now();
    let ended = files.run(
        &service.url,
        "--duration 1s --html {}/fifo.csv --timeseries {}/fifo.csv --summary-json {}/summary.json",
    );
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for name in ["page", "time series"] {
        let said = format!(
            "cannot write the {name} {}",
            files.path("fifo.csv").display()
        );
        assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    }
    assert!(requests(&files.json("summary.json")) > 0);
}

#[test]
fn a_regular_file_is_replaced_at_once_and_keeps_its_permissions() {
    let service = Service::start();
    for (flag, _) in FILES {
        let files = Files::new();
        let path = files.path("file.csv");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let mut held = File::open(&path).unwrap();
        let ended = files.run(&service.url, &format!("--duration 1s {flag} {{}}/file.csv"));
        assert_eq!(ended.code, Some(0), "{flag}: {ended:?}");
        let mut old = String::new();
        held.read_to_string(&mut old).unwrap();
        assert_eq!(
            old, "old",
            "{flag}: whoever reads the old file sees it change"
        );
        assert!(files.read("file.csv").len() > 100, "{flag}");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o640, "{flag}");
        assert_eq!(
            fs::read_dir(files.0.path()).unwrap().count(),
            1,
            "{flag}: drafts"
        );
    }
}

#[test]
fn what_can_be_found_out_before_the_run_is() {
    let service = Service::start();
    let before = service.answered_at_all();
    for (flag, name) in FILES {
        let files = Files::new();
        fs::write(files.path("file.csv"), "").unwrap();
        fs::create_dir(files.path("folder.csv")).unwrap();
        for bad in ["missing/file.csv", "folder.csv", "file.csv/below.csv"] {
            let ended = files
                .run(&service.url, &format!("{flag} {{}}/{bad}"))
                .orderly();
            assert_eq!(ended.code, Some(2), "{flag} {bad}: {ended:?}");
            assert_eq!(
                ended.stderr.lines().count(),
                1,
                "{flag} {bad}: {}",
                ended.stderr
            );
            let said = format!("cannot write the {name} {}", files.path(bad).display());
            assert!(ended.stderr.contains(&said), "{}", ended.stderr);
        }
    }
    assert_eq!(service.answered_at_all(), before);
}

#[test]
fn a_run_that_cannot_begin_leaves_old_results_alone() {
    let files = Files::new();
    let mut more = String::new();
    for (flag, _) in FILES {
        let name = format!("{}.csv", &flag[2..]);
        fs::write(files.path(&name), "old").unwrap();
        more += &format!(" {flag} {{}}/{name}");
    }
    let ended = files.run("http://127.0.0.1:1", &more).orderly();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for (flag, _) in FILES {
        assert_eq!(files.read(&format!("{}.csv", &flag[2..])), "old", "{flag}");
    }
}

#[test]
fn a_real_prometheus_ends_on_the_runs_exact_totals() {
    let metrics = free_address();
    let Some(prometheus) = Prometheus::start(Some(&metrics)) else {
        return;
    };
    let service = Service::start();
    let files = Files::new();
    // It takes up a new configuration a few seconds after it has begun.
    eventually("the first attempt to scrape", || {
        (!prometheus.query("up", None).is_empty()).then_some(())
    });
    // The last second of the load is between two scrapes for certain.
    let ended = files.run(
        &service.url,
        &format!(
            "--duration 4500ms --cleanup never --metrics {metrics} --summary-json {{}}/summary.json"
        ),
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let sent = requests(&files.json("summary.json")) as f64;
    let counted = prometheus.number("sum(last_over_time(vespeiro_requests_total[10m]))");
    assert_eq!(counted, Some(sent), "{}", prometheus.log());
}

fn scrape_twice(metrics: &str, apart: Duration) {
    eventually("the endpoint", || get(metrics, "/metrics").ok());
    let first = Instant::now();
    sleep(apart.saturating_sub(first.elapsed()));
    get(metrics, "/metrics").unwrap();
}

#[test]
fn a_signal_ends_the_wait_for_the_last_scrape() {
    let service = Service::start();
    let files = Files::new();
    let metrics = free_address();
    let more = format!("--cleanup never --metrics {metrics} --summary-json {{}}/summary.json");
    let run = files.start(&service.url, &more, None, None);
    scrape_twice(&metrics, Duration::from_secs(4));
    run.signal("INT");
    // The files do not wait for a scrape.
    eventually("the summary", || {
        files.path("summary.json").exists().then_some(())
    });
    sleep(Duration::from_millis(300));
    assert!(
        get(&metrics, "/metrics")
            .unwrap()
            .contains("vespeiro_requests_total")
    );
    let asked = Instant::now();
    run.signal("INT");
    let ended = run.ended();
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_run_that_nobody_scrapes_waits_for_no_scrape() {
    let service = Service::start();
    let files = Files::new();
    let metrics = free_address();
    let started = Instant::now();
    let ended = files.run(
        &service.url,
        &format!(
            "--duration 1s --cleanup never --metrics {metrics} --summary-json {{}}/summary.json"
        ),
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_wrong_command_line_is_told_though_standard_output_is_full() {
    let (_reader, full) = full_pipe();
    let arguments = ["run", "--users", "-1"];
    let ended = Running::start_on(&arguments, Some(full), None).ended();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(Path::new("/dev/full").exists() && vespeiro(&["--version"]).code == Some(0));
}
