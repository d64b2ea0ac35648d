use http::Method;
use std::rc::Rc;
use std::time::Duration;
use vespeiro_http::codec::*;
use vespeiro_http::dial::*;
use vespeiro_http::*;
fn main() {
    let mut args = std::env::args().skip(1);
    let address: std::net::SocketAddr = args.next().unwrap().parse().unwrap();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&rt, async move {
        let names = Names::new(&[], Duration::from_secs(60));
        let dial = DialOptions::new(
            Endpoint::Tcp {
                host: address.ip().to_string(),
                port: address.port(),
            },
            names,
        );
        let client = Client::new(
            dial,
            ClientOptions {
                request_timeout: Duration::from_secs(3),
                max_body: 1 << 20,
                ..ClientOptions::default()
            },
        )
        .unwrap();
        let head = HeadOptions {
            host: address.to_string(),
            user_agent: "v".into(),
            codings: Codings {
                gzip: true,
                br: true,
                zstd: true,
            },
            ..HeadOptions::default()
        };
        for path in args {
            let (method, path) = match path.split_once(':') {
                Some((m, p)) => (m.parse().unwrap(), p.to_owned()),
                None => (Method::GET, path),
            };
            let body = (method == Method::POST).then(|| {
                vec![
                    b'x';
                    if path.contains("early") {
                        50_000_000
                    } else {
                        100
                    }
                ]
            });
            let route = Rc::new(RouteHead::new(&head, method).unwrap());
            let call = Call::new(route, path.clone(), vec![], body)
                .unwrap()
                .capture(Capture {
                    headers: true,
                    body: true,
                });
            for _ in 0..2 {
                let o = client.send(&call).await;
                let c = client.counts();
                let r = match &o.result {
                    Ok(a) => format!(
                        "{} {} headers, {:?}",
                        a.status,
                        a.headers.len(),
                        String::from_utf8_lossy(&a.body[..a.body.len().min(30)])
                    ),
                    Err(f) => format!("{} {}", f.failure.as_str(), f.cause),
                };
                println!(
                    "{path:14} {} {r} | {:?} sent {:?} recv {:?} open {} us {} target {} stale {}",
                    if o.reused { "R" } else { "N" },
                    o.phases.service(),
                    o.sent,
                    o.received,
                    c.open,
                    c.closed_by_us,
                    c.closed_by_target,
                    c.stale
                );
            }
        }
    });
}
