//! The user service's gRPC interface, asked by Python's `grpcio`, which finds by reflection what there is: the calls that it has
//! made are those in the service's ledger.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::interpreter;
use crate::project::{python, tool};
use crate::support::{Service, eventually};

const GRPC: [&str; 2] = ["grpcio==1.76.0", "grpcio-reflection==1.76.0"];

/// Installed once, however many tests want it at once.
fn client() -> &'static str {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(|| interpreter("grpc", &GRPC));
    python.to_str().unwrap()
}

#[test]
fn the_client_of_the_books_page_works() {
    if !python() {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/user-service.md");
    let page = std::fs::read_to_string(page).unwrap();
    let code = page.split("```python\n").nth(1).unwrap();
    let service = Service::start();
    let address = service.url.strip_prefix("http://").unwrap();
    let code = code.split("```").next().unwrap();
    let code = code.replace("127.0.0.1:9501", address);
    let told = tool(client()).args(["-c", &code]).output().unwrap();
    let said = String::from_utf8_lossy(&told.stdout);
    assert_eq!(said.trim(), "admin@example.test", "{told:?}");
}

#[test]
fn a_client_of_python_finds_the_user_service_by_reflection_and_counts_what_it_counts() {
    if !python() {
        return;
    }
    let service = Service::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = script.join("../../tests/e2e/strangers/grpc/client.py");
    let address = service.url.strip_prefix("http://").unwrap();
    let told = tool(client()).arg(&script).arg(address).output().unwrap();
    let errors = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{errors}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        told["services"],
        json!([
            "grpc.reflection.v1alpha.ServerReflection",
            "users.v1.AuthService",
            "users.v1.PermissionService",
            "users.v1.ProfileService",
            "users.v1.RoleService",
            "users.v1.UserService"
        ])
    );
    assert_eq!(
        (&told["me"], &told["profiles"]),
        (&json!(true), &json!(["Builds nests"]))
    );
    assert_eq!(
        told["events"],
        json!([[1, "user.created", "wasp"], [2, "user.deleted", "wasp"]])
    );
    assert_eq!(
        told["refused"],
        json!([
            ["UNAUTHENTICATED", "a bearer token is required"],
            ["NOT_FOUND", "no such user"],
            ["ALREADY_EXISTS", "the username is already taken"],
            [
                "INVALID_ARGUMENT",
                "the given data is invalid: email is required; name is required; password is required"
            ],
            [
                "PERMISSION_DENIED",
                "this needs the permission users.manage"
            ]
        ])
    );
    let calls = &told["calls"];
    let of = |method: &str, code: &str| {
        let mut all = calls.as_array().unwrap().iter();
        let this = all.find(|call| call[0] == method && call[1] == code);
        this.unwrap_or_else(|| panic!("{calls}"))[2].clone()
    };
    assert_eq!(of("/users.v1.ProfileService/GetProfile", "OK"), 200);
    assert_eq!(of("/users.v1.UserService/WatchUsers", "CANCELLED"), 1);
    // The service hears a little later that somebody no longer watches.
    eventually("the ledger has all calls, and no others", || {
        let samples = service.samples("user_service_requests_total");
        let mut counted: Vec<Value> = samples
            .iter()
            .filter(|one| one.label("route") != "/metrics")
            .map(|one| json!([one.label("route"), one.label("status"), one.value as u64]))
            .collect();
        counted.sort_by_key(Value::to_string);
        let mut calls = calls.as_array().unwrap().clone();
        calls.sort_by_key(Value::to_string);
        (counted == calls).then_some(())
    });
}
