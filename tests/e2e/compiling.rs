//! What a compiler may take, held against the child process that compiles: memory, time by the clock, and the patience of
//! whoever asked; and what is kept of what it made.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{
    RunOf, Running, Service, by_hand, eventually, post, slow_to_compile, vespeiro,
};
use crate::swap::compiled;

/// The children of a process.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let threads = threads.into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|line| {
            let pids = line.split_whitespace().map(|pid| pid.parse().unwrap());
            pids.collect::<Vec<u32>>()
        })
        .collect()
}

/// Hundredths of a second that a process has had on the processor; `None` when it is gone.
fn used(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // What has ended and is not waited for has no more time.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(10)?.parse().ok()
}

#[test]
fn a_module_whose_compilation_wants_too_much_memory_is_refused_with_the_bound() {
    let folder = TempDir::new().unwrap();
    let line = "(local.set $i (i32.add (local.get $i) (i32.load (local.get $i))))";
    let large = format!(
        "(func $large (result i32) (local $i i32) {} (local.get $i))",
        line.repeat(200_000)
    );
    let module = by_hand(&folder, &[("data", &large)]);
    let service = Service::start();
    let arguments = format!(
        "--archetype large={} --users 1 --no-cache",
        module.display()
    );
    let bounded = RunOf::start(
        &service.url,
        &format!("{arguments} --compile-memory 128MiB"),
    );
    let ended = bounded.process.ended().orderly();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    assert!(
        last.contains("takes more than 128 MiB of memory to compile"),
        "{last}"
    );
}

#[test]
fn a_compiler_that_gets_nothing_done_is_given_up_by_the_clock() {
    let folder = TempDir::new().unwrap();
    let service = Service::start();
    let arguments = format!(
        "--archetype slow={} --users 1 --no-cache --compile-timeout 1s",
        slow_to_compile(&folder).display()
    );
    let run = RunOf::start(&service.url, &arguments);
    let id = run.process.id();
    // Not before it is what it will be: a process that is stopped between the two holds its parent up.
    let child = eventually("the compiler", || {
        let child = children(id).pop()?;
        let line = fs::read_to_string(format!("/proc/{child}/cmdline")).ok()?;
        line.contains("compile-modules").then_some(child)
    });
    let child_id = child.to_string();
    let stopped = Command::new("kill")
        .args(["-s", "STOP", &child_id])
        .status();
    assert!(stopped.unwrap().success());
    let ended = run.process.ended().orderly();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("is not compiled after 10 s"),
        "{}",
        ended.stderr
    );
    assert_eq!(used(child), None, "the compiler is gone too");
}

#[test]
fn a_swap_that_nobody_waits_for_any_more_ends_its_compiler_and_the_next_one_is_taken_up() {
    let folder = TempDir::new().unwrap();
    let mine = folder.path().join("mine.wasm");
    fs::copy(by_hand(&folder, &[]), &mine).unwrap();
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        &format!(
            "--archetype mine={} --users 2 --workers 1 --delay-min 5ms --delay-max 30ms --no-cache \
             --control 127.0.0.1:0 --min-request-count 10000000 --max-request-count 10000000",
            mine.display()
        ),
    );
    let authority = run.authority("control: ");
    let module = slow_to_compile(&folder);
    let id = run.process.id();
    // Kept from the first module.
    let compiler = eventually("the compiler", || children(id).pop());
    let before = used(compiler).unwrap();
    let asking = Running::start(&[
        "swap",
        "--control",
        &authority,
        "mine",
        module.to_str().unwrap(),
    ]);
    eventually("the compilation", || {
        (used(compiler)? > before + 30).then_some(())
    });
    asking.signal("TERM");
    eventually("the end of the compiler", || {
        used(compiler).is_none().then_some(())
    });
    let other = fs::read(by_hand(
        &folder,
        &[("data", "(data (i32.const 2048) \"2\")")],
    ))
    .unwrap();
    let answer = post(&authority, "/swap/mine", &other);
    assert_eq!(answer.status, 200, "{}", answer.body);

    // The same by a file: what is out of date is not compiled to its end.
    let compiler = eventually("another compiler", || children(id).pop());
    let before = used(compiler).unwrap();
    fs::copy(slow_to_compile(&folder), &mine).unwrap();
    eventually("the compilation", || {
        (used(compiler)? > before + 30).then_some(())
    });
    let third = by_hand(&folder, &[("data", "(data (i32.const 2048) \"3\")")]);
    fs::copy(third, &mine).unwrap();
    eventually("the swap", || {
        let log = run.process.stderr() + &run.process.stdout();
        (log.matches("swap of mine: ").count() == 2).then_some(())
    });
    assert_eq!(used(compiler), None);
    run.process.signal("INT");
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn archetypes_that_play_the_same_module_have_its_code_once() {
    let folder = TempDir::new().unwrap();
    let module = by_hand(&folder, &[]);
    let service = Service::start();
    let pieces = |archetypes: usize| {
        let mut arguments = String::from(
            "--users 8 --workers 1 --delay-min 5ms --delay-max 30ms --min-request-count 10000000 \
             --max-request-count 10000000",
        );
        for number in 0..archetypes {
            // The content is what counts, and not the name.
            let copy = folder.path().join(format!("copy{number}.wasm"));
            fs::copy(&module, &copy).unwrap();
            arguments += &format!(" --archetype a{number}={}:1", copy.display());
        }
        let before = service.answered_at_all();
        let run = RunOf::start(&service.url, &arguments);
        eventually("requests of all", || {
            (service.answered_at_all() > before + 100).then_some(())
        });
        let pieces = compiled(run.process.id());
        run.process.signal("INT");
        run.played().ended.fine();
        pieces
    };
    let alone = pieces(1);
    assert!(alone > 0);
    assert_eq!(pieces(4), alone);
}

#[test]
fn what_was_compiled_ahead_is_played_as_it_is_unless_others_could_have_written_it() {
    let folder = TempDir::new().unwrap();
    let mine = folder.path().join("mine.wasm");
    fs::copy(by_hand(&folder, &[]), &mine).unwrap();
    let (mine, ahead) = (mine.display().to_string(), folder.path().join("ahead"));
    let out = format!("--out={}", ahead.display());
    let told = vespeiro(&["precompile", "builtin:newcomer", &mine, &out]);
    assert_eq!(told.fine().stdout.lines().count(), 2);
    let made = fs::read_dir(&ahead).unwrap().flatten();
    let made: Vec<String> = made
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    // The digest of the module, and the processor.
    assert!(
        made.len() == 2 && made.iter().all(|name| name.len() > 65),
        "{made:?}"
    );

    let service = Service::start();
    let start = |archetypes: &[&str]| {
        let own = format!(
            "--precompiled {} --no-cache --users 4 --ramp-up 0 --delay-min 1ms --delay-max 5ms --cleanup-archetype newcomer \
             --min-request-count 100000 --max-request-count 100000 --archetype mine={mine} {}",
            ahead.display(),
            archetypes.join(" ")
        );
        let run = RunOf::start(&service.url, &own);
        let before = service.answered_at_all();
        eventually("load", || {
            (service.answered_at_all() > before + 20).then_some(())
        });
        // A compiler is kept for the next module, if there was one to compile.
        let compilers = children(run.process.id()).len();
        run.process.signal("TERM");
        (compilers, run.process.ended().fine().stderr)
    };
    let lacks = "does not have all behaviors, precompiled by this version for ";
    let (compilers, log) = start(&["--archetype newcomer"]);
    assert!(compilers == 0 && !log.contains(lacks), "{compilers} {log}");
    let (compilers, log) = start(&["--archetype active", "--archetype power"]);
    assert_eq!((compilers, log.matches(lacks).count()), (1, 1), "{log}");

    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(&ahead, mode).unwrap();
    let dir = ahead.to_str().unwrap();
    let refused = vespeiro(&["run", "--base-url", &service.url, "--precompiled", dir]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("cannot be trusted"),
        "{}",
        refused.stderr
    );
    let out = format!("--out={}", folder.path().join("other").display());
    let strange = vespeiro(&["precompile", "builtin:nobody", &out]);
    assert_eq!(strange.code, Some(2), "{}", strange.stderr);
}
