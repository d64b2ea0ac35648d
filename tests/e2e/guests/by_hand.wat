;; A behavior without any SDK: a core module that exports the contract's functions under their canonical names and
;; carries no WIT. Its sessions ask for GET /health once and are done. Tests put more of it where `;; imports`,
;; `;; data`, `;; describe`, `;; begin`, `;; next locals`, `;; next`, `;; next again` and `;; drop` stand.
(module
  (import "[export]vespeiro:behavior/behavior@0.1.0" "[resource-new]session" (func $new (param i32) (result i32)))
  (import "[export]vespeiro:behavior/behavior@0.1.0" "[resource-drop]session" (func $discard (param i32)))
  (import "vespeiro:behavior/host@0.1.0" "observe" (func $observe (param i32 i32 f64)))
  (import "vespeiro:behavior/host@0.1.0" "mark" (func $mark (param i32 i32)))
  (import "vespeiro:behavior/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  ;; imports

  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))

  (data (i32.const 16) "by-hand")
  (data (i32.const 32) "0.1.0")
  (data (i32.const 48) "/health")
  (data (i32.const 64) "monitoring")
  ;; the description: name, version, one route, one category
  (data (i32.const 128) "\10\00\00\00\07\00\00\00\20\00\00\00\05\00\00\00\a0\00\00\00\01\00\00\00\c0\00\00\00\01\00\00\00")
  ;; the route: GET, its path, its category
  (data (i32.const 160) "\00\00\00\00\30\00\00\00\07\00\00\00\40\00\00\00\0a\00\00\00")
  (data (i32.const 192) "\40\00\00\00\0a\00\00\00")
  ;; the request at 320: GET, path, route, category; no header, no body, nothing captured, no mark, no fault
  (data (i32.const 320) "\00\00\00\00\30\00\00\00\07\00\00\00\30\00\00\00\07\00\00\00\40\00\00\00\0a\00\00\00")
  ;; data

  ;; The arguments of calls are laid out here, and never given back: an instance grows with each call.
  (func (export "cabi_realloc") (param $old i32) (param $held i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $fits (i32.ne (i32.const -1) (memory.grow
        (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536))))))
      (unreachable))
    (local.get $at))

  (func (export "vespeiro:behavior/behavior@0.1.0#describe") (result i32)
    ;; describe
    (i32.const 128))

  (func (export "vespeiro:behavior/behavior@0.1.0#[constructor]session") (param $setup i32) (result i32)
    (local $self i32)
    ;; begin
    ;; What the session knows of itself, where its setup was: how often it was asked.
    (local.set $self (local.get $setup))
    (i32.store (local.get $self) (i32.const 0))
    (call $new (local.get $self)))

  (func (export "vespeiro:behavior/behavior@0.1.0#[method]session.next")
    (param $self i32) (param $elapsed i64) (param $left i32) (param $mix i32) (param $mixes i32)
    (param $faulty i32) (param $fault i32) (param $outcomes i32) (param $came i32) (result i32)
    ;; next locals
    (i64.store (i32.const 256) (i64.const 0))
    (i64.store (i32.const 264) (i64.const 0))
    (i32.store (i32.const 272) (i32.const 0))
    (if (i32.load (local.get $self))
      (then
        (i32.store8 (i32.const 264) (i32.const 1))
        ;; next again
      )
      (else
        (i32.store (local.get $self) (i32.const 1))
        (i32.store (i32.const 268) (i32.const 320))
        (i32.store (i32.const 272) (i32.const 1))
        ;; next
      ))
    (i32.const 256))

  (func (export "vespeiro:behavior/behavior@0.1.0#[dtor]session") (param $self i32)
    ;; drop
  )
)
