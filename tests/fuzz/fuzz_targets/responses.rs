//! What a target answers, byte by byte, over a real connection: status line, headers such as `Retry-After`, bodies, also
//! compressed ones. Whatever it sends, a request has one outcome, within its bounds.
#![no_main]

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use http::Method;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use vespeiro_fuzz::plan;
use vespeiro_http::{Capture, Reads, Targets};
use vespeiro_model::Clock;
use vespeiro_plan::Flags;

const MAX_BODY: usize = 64 << 10;

/// A client, and a target that answers the next request with what it is given and hangs up.
struct Pair {
    runtime: LocalRuntime,
    targets: Targets,
    next: Sender<Vec<u8>>,
}

thread_local! {
    static PAIR: RefCell<Pair> = RefCell::new(Pair::new());
}

impl Pair {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let (next, answers) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                // The client may have hung up before it has heard all.
                let _ = stream.write_all(&answer);
            }
        });
        let mut flags = Flags::default();
        for (key, value) in [
            ("base_url", format!("http://{address}")),
            ("max_body", MAX_BODY.to_string()),
            ("compressed", "true".into()),
            ("request_timeout", "5s".into()),
        ] {
            flags.set(key, value, format!("--{key}"));
        }
        let plan = plan(flags).expect("a plan").plan;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default());
        Self {
            runtime: runtime.expect("a runtime"),
            targets: Targets::new(&plan, 0, Clock::system()).expect("a client"),
            next,
        }
    }
}

fuzz_target!(|answer: &[u8]| {
    PAIR.with_borrow_mut(|pair| {
        pair.next.send(answer.to_vec()).expect("the target lives");
        let heads = pair.targets.heads();
        let call = heads.call(0, &Method::GET, "/x".into(), Vec::new(), None);
        let call = call.expect("a request").capture(Capture {
            headers: true,
            body: true,
        });
        let call = call.reads(Reads {
            cookies: true,
            location: true,
        });
        let exchange = pair.runtime.block_on(pair.targets.send(&call));
        let Ok(answer) = exchange.result else { return };
        assert!(answer.body.len() <= MAX_BODY);
        assert!(
            answer
                .retry_after
                .is_none_or(|wait| wait <= Duration::from_secs(3600))
        );
        assert!(
            answer
                .headers
                .iter()
                .all(|(name, _)| !name.contains(|c: char| c.is_ascii_uppercase()))
        );
    });
});
