//! WASI as a behavior gets it: nothing of the machine, time and chance from the plan, output as log lines. Each test
//! runs as users do, as a task on a runtime of one thread, where a call that waits or starts a runtime would panic.

use wit_component::{StringEncoding, embed_component_metadata};

use super::*;
use crate::Level;

/// Asks WASI preview 1 for all that it should not get, and says with `observe` what it got.
const CURIOUS: [(&str, &str); 3] = [
    (
        "imports",
        r#"
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        "#,
    ),
    (
        "data",
        r#"
        (data (i32.const 512) "/etc/passwd")
        (data (i32.const 528) "to stdout\nand")
        (data (i32.const 544) " on\nto stderr\n")
        (data (i32.const 576) "open")
        (data (i32.const 584) "environ")
        (data (i32.const 592) "args")
        (data (i32.const 600) "wall")
        (data (i32.const 608) "monotonic")
        (data (i32.const 624) "random")
        (data (i32.const 632) "read")
        ;; what to write: the first 13 bytes, 4 more, 10 more
        (data (i32.const 640) "\10\02\00\00\0d\00\00\00\20\02\00\00\04\00\00\00\24\02\00\00\0a\00\00\00")
        (data (i32.const 672) "\00\08\00\00\10\00\00\00")
        "#,
    ),
    (
        "next",
        r#"
        (drop (call $write (i32.const 1) (i32.const 640) (i32.const 1) (i32.const 700)))
        (drop (call $write (i32.const 1) (i32.const 648) (i32.const 1) (i32.const 700)))
        (drop (call $write (i32.const 2) (i32.const 656) (i32.const 1) (i32.const 700)))
        (call $observe (i32.const 576) (i32.const 4) (f64.convert_i32_u (call $open
          (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 11) (i32.const 0) (i64.const 2) (i64.const 2)
          (i32.const 0) (i32.const 700))))
        (drop (call $environ (i32.const 700) (i32.const 704)))
        (call $observe (i32.const 584) (i32.const 7) (f64.convert_i32_u (i32.load (i32.const 700))))
        (drop (call $args (i32.const 700) (i32.const 704)))
        (call $observe (i32.const 592) (i32.const 4) (f64.convert_i32_u (i32.load (i32.const 700))))
        (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 704)))
        (call $observe (i32.const 600) (i32.const 4) (f64.convert_i64_u (i64.load (i32.const 704))))
        (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 704)))
        (call $observe (i32.const 608) (i32.const 9) (f64.convert_i64_u (i64.load (i32.const 704))))
        (drop (call $random (i32.const 704) (i32.const 8)))
        (call $observe (i32.const 624) (i32.const 6) (f64.convert_i64_u (i64.load (i32.const 704))))
        (drop (call $read (i32.const 0) (i32.const 672) (i32.const 1) (i32.const 700)))
        (call $observe (i32.const 632) (i32.const 4) (f64.convert_i32_u (i32.load (i32.const 700))))
        "#,
    ),
];

fn on_a_worker<T>(work: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async { work() })
}

/// What the curious one got in the first step of a session with this seed.
fn seen(instance: u64, session: u64, elapsed_ms: u64) -> Vec<GuestEvent> {
    on_a_worker(|| {
        let behavior = load(&by_hand(&CURIOUS)).unwrap();
        let mut slot = Slot::new(behavior, instance);
        let mut session = begin(&mut slot, session);
        let (answer, events) = next(&mut session, elapsed_ms);
        answer.unwrap().unwrap();
        events
    })
}

fn observed(events: &[GuestEvent], name: &str) -> f64 {
    let found = events.iter().find_map(|event| match event {
        GuestEvent::Observe { metric, value } if metric == name => Some(*value),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{name}: {events:?}"))
}

#[test]
fn a_guest_gets_no_file_no_environment_no_arguments_and_an_empty_stdin() {
    let events = seen(1, 1, 0);
    // 8 is EBADF: there is no folder to open anything in.
    assert_eq!(observed(&events, "open"), 8.0);
    for nothing in ["environ", "args", "read"] {
        assert_eq!(observed(&events, nothing), 0.0, "{nothing}");
    }
}

#[test]
fn its_clock_and_its_randomness_follow_the_seed() {
    let events = seen(1, 1, 250);
    assert_eq!(events, seen(1, 1, 250));
    assert_eq!(observed(&events, "monotonic"), 1.25e9);
    let wall = |events: &[GuestEvent]| observed(events, "wall") / 1e9;
    let later = seen(1, 1, 10_250);
    assert!((wall(&later) - wall(&events) - 10.0).abs() < 0.001);
    assert_eq!(observed(&later, "random"), observed(&events, "random"));
    // Another session draws otherwise on the same day; another plan plays on another day.
    let (other_session, other_plan) = (seen(1, 2, 250), seen(2, 1, 250));
    assert_ne!(
        observed(&other_session, "random"),
        observed(&events, "random")
    );
    assert_eq!(wall(&other_session), wall(&events));
    assert_ne!(wall(&other_plan), wall(&events));
}

#[test]
fn what_it_prints_becomes_log_lines() {
    let logs: Vec<_> = seen(1, 1, 0)
        .into_iter()
        .filter_map(|event| match event {
            GuestEvent::Log { level, message } => Some((level, message)),
            _ => None,
        })
        .collect();
    let line = |level, text: &str| (level, text.to_owned());
    let expected = [
        line(Level::Info, "to stdout"),
        line(Level::Info, "and on"),
        line(Level::Warn, "to stderr"),
    ];
    assert_eq!(logs, expected);
}

#[test]
fn a_guest_that_waits_or_exits_traps() {
    let waits = [
        ("imports", r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))"#),
        // One subscription: the monotonic clock, a second from now.
        (
            "next",
            "(i32.store (i32.const 816) (i32.const 1)) (i64.store (i32.const 824) (i64.const 1000000000))
             (drop (call $poll (i32.const 800) (i32.const 900) (i32.const 1) (i32.const 1000)))",
        ),
    ];
    let why = on_a_worker(|| crash_of(&waits));
    assert!(
        why.contains("by-hand 0.1.0 crashed in next: it wants to wait inside a call"),
        "{why}"
    );
    let exits = [
        (
            "imports",
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#,
        ),
        ("next", "(call $exit (i32.const 3))"),
    ];
    let why = on_a_worker(|| crash_of(&exits));
    assert!(why.contains("it called exit("), "{why}");
}

/// As much of WASI's sockets as it takes to ask for one.
const SOCKETS: &str = "
    package test:sockets;
    world curious {
        include vespeiro:behavior/archetype@0.1.0;
        import wasi:sockets/instance-network@0.2.0;
        import wasi:sockets/ip-name-lookup@0.2.0;
        import wasi:sockets/tcp-create-socket@0.2.0;
        import wasi:sockets/udp-create-socket@0.2.0;
    }
    package wasi:sockets@0.2.0 {
        interface network {
            resource network;
            enum error-code {
                unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict,
                not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use,
                remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large,
                name-unresolvable, temporary-resolver-failure, permanent-resolver-failure,
            }
            enum ip-address-family { ipv4, ipv6 }
        }
        interface instance-network {
            use network.{network};
            instance-network: func() -> network;
        }
        interface ip-name-lookup {
            use network.{network, error-code};
            resource resolve-address-stream;
            resolve-addresses: func(network: borrow<network>, name: string) -> result<resolve-address-stream, error-code>;
        }
        interface tcp { resource tcp-socket; }
        interface tcp-create-socket {
            use network.{error-code, ip-address-family};
            use tcp.{tcp-socket};
            create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
        }
        interface udp { resource udp-socket; }
        interface udp-create-socket {
            use network.{error-code, ip-address-family};
            use udp.{udp-socket};
            create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
        }
    }
";

/// Say that a module's world is `curious` of this text.
fn embed(module: &mut Vec<u8>, wit: &str) {
    let mut resolve = wit_parser::Resolve::default();
    resolve
        .push_source("behavior.wit", Version::V0_1.wit())
        .unwrap();
    let package = resolve.push_source("curious.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("curious")).unwrap();
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).unwrap();
}

#[test]
fn a_guest_gets_no_socket_and_no_name() {
    let mut module = by_hand(&[
        (
            "imports",
            r#"
            (import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $tcp (param i32 i32)))
            (import "wasi:sockets/udp-create-socket@0.2.0" "create-udp-socket" (func $udp (param i32 i32)))
            (import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
            (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))
            "#,
        ),
        ("data", r#"(data (i32.const 576) "tcp udp name") (data (i32.const 592) "localhost")"#),
        // An error has 1 at the first byte of the result; a handle would have 0.
        (
            "next",
            "(call $tcp (i32.const 0) (i32.const 700))
             (call $observe (i32.const 576) (i32.const 3) (f64.convert_i32_u (i32.load8_u (i32.const 700))))
             (call $udp (i32.const 0) (i32.const 700))
             (call $observe (i32.const 580) (i32.const 3) (f64.convert_i32_u (i32.load8_u (i32.const 700))))
             (call $resolve (call $network) (i32.const 592) (i32.const 9) (i32.const 700))
             (call $observe (i32.const 584) (i32.const 4) (f64.convert_i32_u (i32.load8_u (i32.const 700))))",
        ),
    ]);
    embed(&mut module, SOCKETS);
    on_a_worker(|| {
        let mut slot = slot(&module);
        let mut session = begin(&mut slot, 1);
        let (answer, events) = next(&mut session, 0);
        answer.unwrap().unwrap();
        for what in ["tcp", "udp", "name"] {
            assert_eq!(observed(&events, what), 1.0, "{what}");
        }
    });
}

/// As much of WASI's HTTP as a language's runtime brings: a resource of its own, and one of another interface.
const HTTP: &str = "
    package test:http;
    world curious {
        include vespeiro:behavior/archetype@0.1.0;
        import wasi:io/streams@0.2.3;
        import wasi:http/types@0.2.3;
        import wasi:http/outgoing-handler@0.2.3;
    }
    package wasi:io@0.2.3 {
        interface streams { resource input-stream; }
    }
    package wasi:http@0.2.3 {
        interface types {
            use wasi:io/streams@0.2.3.{input-stream};
            resource outgoing-request { constructor(); body: func() -> input-stream; }
        }
        interface outgoing-handler {
            use types.{outgoing-request};
            handle: func(request: outgoing-request) -> u32;
        }
    }
";

#[test]
fn what_a_runtime_brings_and_never_calls_is_refused_only_where_it_is_called() {
    let calling = |code: &str| {
        let mut module = by_hand(&[
            (
                "imports",
                r#"
                (import "wasi:http/types@0.2.3" "[constructor]outgoing-request" (func $request (result i32)))
                (import "wasi:http/types@0.2.3" "[method]outgoing-request.body" (func $body (param i32) (result i32)))
                (import "wasi:http/outgoing-handler@0.2.3" "handle" (func $handle (param i32) (result i32)))
                "#,
            ),
            ("next", code),
        ]);
        embed(&mut module, HTTP);
        on_a_worker(|| {
            let mut slot = slot(&module);
            assert_eq!(slot.behavior().refused().count(), 2);
            let mut session = begin(&mut slot, 1);
            next(&mut session, 0).0
        })
    };
    calling("").unwrap().unwrap();
    let why = calling("(drop (call $handle (call $request)))").unwrap_err();
    let told = "crashed in next: it called [constructor]outgoing-request of wasi:http/types@0.2.3, which a behavior does not get";
    assert!(why.contains(told), "{why}");
}
