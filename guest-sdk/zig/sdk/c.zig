//! The SDK of C as Zig sees it: the same records, field by field, and the functions that vespeiro.zig and harness.zig are
//! made of. Nothing else imports it. A record that changes in `vespeiro.h` or `harness.h` changes here.

const vespeiro = @import("vespeiro.zig");
const harness = @import("harness.zig");

const Me = vespeiro.Me;
const Text = [*:0]const u8;

pub const Span = extern struct {
    at: ?[*]const u8 = null,
    size: usize = 0,
};

pub const Turn = enum(c_int) { waits, done, gave_up, failed };

pub const Behavior = extern struct {
    name: Text,
    version: Text,
    routes: [*]const ?*const vespeiro.Route,
    login: ?*const vespeiro.Route,
    refresh: ?*const vespeiro.Route,
    logout: ?*const vespeiro.Route,
    login_name: ?Text,
    journey: *const fn (me: *Me) callconv(.c) Turn,
    cleanup: ?*const fn (me: *Me) callconv(.c) Turn,
    state: usize,
};

pub const Pair = extern struct {
    name: ?Text = null,
    value: ?Text = null,
};

pub const Call = extern struct {
    route: *const vespeiro.Route,
    args: [4]?Text = @splat(null),
    query: [8]Pair = @splat(.{}),
    headers: [8]Pair = @splat(.{}),
    json: ?Text,
    body: Span,
    bearer: ?*vespeiro.Tokens,
    capture: vespeiro.Capture,
    mark: ?Text,
    fault: vespeiro.Fault,
    category: ?Text,
    timeout_ms: u32,
};

pub const Choice = extern struct {
    weight: f64,
    category: ?Text,
};

pub extern fn vs_scratch(size: usize) [*]align(16) u8;
pub extern fn vs_remember(me: *Me, text: Text) Text;
pub extern fn vs_add(me: *Me, call: *const Call) void;
pub extern fn vs_post(me: *Me) Turn;
pub extern fn vs_answered(me: *Me) bool;
pub extern fn vs_any_failed(me: *const Me) bool;
pub extern fn vs_log_in(me: *Me, tokens: *vespeiro.Tokens) Turn;
pub extern fn vs_has_logout(me: *Me, tokens: *vespeiro.Tokens) bool;
pub extern fn vs_log_out(me: *Me, tokens: *vespeiro.Tokens) Turn;
pub extern fn vs_has_marked(me: *Me) bool;
pub extern fn vs_log_out_marked(me: *Me) Turn;
pub extern fn vs_fail(me: *Me, message: Text) Turn;
pub extern fn vs_unexpected_body(me: *Me, what: Text) Turn;

pub extern fn vs_think(me: *Me) void;
pub extern fn vs_think_long(me: *Me) void;
pub extern fn vs_think_briefly(me: *Me) void;
pub extern fn vs_think_between(me: *Me, min_ms: u32, max_ms: u32) void;
pub extern fn vs_wait(me: *Me, ms: u32) void;

pub extern fn vs_check(me: *Me, name: Text, passed: bool) bool;
pub extern fn vs_observe(me: *Me, metric: Text, value: f64) void;
pub extern fn vs_mark(me: *Me, thing: Text) void;
pub extern fn vs_unmark(me: *Me, thing: Text) void;
pub extern fn vs_log(me: *Me, level: c_int, message: Text) void;
pub extern fn vs_feed(me: *Me, name: Text) Span;
pub extern fn vs_take_fault(me: *Me) vespeiro.Fault;
pub extern fn vs_wanted(me: *Me, category: Text) f64;

pub extern fn vs_random(me: *Me) f64;
pub extern fn vs_range(me: *Me, min: i64, max: i64) i64;
pub extern fn vs_chance(me: *Me, probability: f64) bool;
pub extern fn vs_choose(me: *Me, choices: [*]const Choice, count: usize) usize;
pub extern fn vs_fake_name(me: *Me) Text;
pub extern fn vs_fake_city(me: *Me) Text;
pub extern fn vs_fake_bio(me: *Me) Text;
pub extern fn vs_fake_phone(me: *Me) Text;
pub extern fn vs_fake_website(me: *Me) Text;
pub extern fn vs_fake_birth_date(me: *Me) Text;
pub extern fn vs_fake_search(me: *Me) Text;

pub extern fn vs_play(behavior: *const Behavior, script: *const harness.Script) *const harness.Played;
pub extern fn vs_ended(played: *const harness.Played, ending: Text) bool;
pub extern fn vs_left_behind(played: *const harness.Played) usize;
pub extern fn vs_was_unmarked(played: *const harness.Played, thing: Text) bool;
