//! nginx as the server of the TLS parts: one process, a certificate made on the spot, the fixed reply's answer to
//! everything. It keeps connections open for as long as a run sends, and all generators get the same cipher.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::SERVER_CORE;
use super::process::{Running, pinned};
use super::servers::{Server, free_port, get};
use super::tools::Tools;

/// What it offers in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    Http1,
    Http2,
}

pub fn start(tools: &Tools, offer: Offer) -> Result<Server> {
    let folder = tools.scratch.join("nginx");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    certify(tools, &folder)?;
    let answer = body(tools)?;
    let (port, status) = (free_port()?, free_port()?);
    fs::write(
        folder.join("nginx.conf"),
        config(offer, port, status, &answer),
    )?;
    let mut command = pinned(SERVER_CORE, &tools.nginx);
    command.arg("-p").arg(&folder);
    command.arg("-e").arg(folder.join("error.log"));
    command.arg("-c").arg(folder.join("nginx.conf"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Server::nginx(Running::start("nginx", command)?, port, status)
        .with_context(|| format!("its log is {}", folder.join("error.log").display()))
}

/// What the fixed reply sends, so that all parts are about the same answer.
fn body(tools: &Tools) -> Result<String> {
    let server = Server::fixed_reply(&tools.fixed_reply)?;
    let url = server.url();
    let answer = get(url.trim_start_matches("http://"), "/")?;
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .context("the fixed reply has no body")?;
    ensure!(
        !body.contains(['\'', '$']),
        "nginx would read {body:?} as more than text"
    );
    Ok(body.to_owned())
}

fn certify(tools: &Tools, folder: &Path) -> Result<()> {
    let made = Command::new(&tools.openssl)
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .with_context(|| format!("cannot start {}", tools.openssl.display()))?;
    ensure!(
        made.status.success(),
        "openssl made no certificate: {}",
        String::from_utf8_lossy(&made.stderr).trim()
    );
    Ok(())
}

fn config(offer: Offer, port: u16, status: u16, answer: &str) -> String {
    let http2 = match offer {
        Offer::Http1 => "",
        Offer::Http2 => " http2",
    };
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    keepalive_time 1h;
    tcp_nodelay on;
    server {{
        listen 127.0.0.1:{port} ssl{http2};
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;
        default_type application/json;
        location / {{ return 200 '{answer}'; }}
    }}
    server {{
        listen 127.0.0.1:{status};
        location / {{ stub_status; }}
    }}
}}
"
    )
}
