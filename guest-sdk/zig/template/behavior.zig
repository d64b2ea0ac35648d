//! Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

const vs = @import("vespeiro/vespeiro.zig");

const login = vs.route(.post, "/api/v1/auth/login", "auth");
const refresh = vs.route(.post, "/api/v1/auth/refresh", "auth");
const logout = vs.route(.post, "/api/v1/auth/logout", "auth");
const people = vs.route(.get, "/api/v1/users", "user-query");
const person = vs.route(.get, "/api/v1/users/{id}", "user-query");
const register = vs.route(.post, "/api/v1/users", "user-mutation");
const edit = vs.route(.put, "/api/v1/users/{id}", "user-mutation");
const roles = vs.route(.get, "/api/v1/users/{userId}/roles", "role-permission");

/// The steps, in their order. Each sends something, and goes on once that was answered.
const Step = enum { come, register, log_in, browse, mistake, look, rename, look_again, leave };

/// What a session keeps from one step to the next.
const Walk = struct {
    at: Step,
    bearer: vs.Tokens,
    id: vs.Text(63),
    name: vs.Text(63),
    page: i64,
    pages: i64,

    fn to(my: *Walk, step: Step) Step {
        my.at = step;
        return step;
    }
};

fn journey(me: *vs.Me, my: *Walk) !vs.Turn {
    const user = me.user;
    sw: switch (my.at) {
        .come => {
            my.bearer = .{ .name = user.email, .password = user.password };
            if (me.ordinal > 0) continue :sw my.to(.log_in);
            me.thinkLong();
            continue :sw my.to(.register);
        },
        .register => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &register,
                .json = me.json(.{ .username = user.username, .email = user.email, .password = user.password, .name = user.name }),
                .mark = me.text("user:{s}", .{user.username}),
            }});
            try me.expect(&.{ 200, 201, 409 });
            me.think();
            continue :sw my.to(.log_in);
        },
        .log_in => {
            if (!try me.answered()) return me.logIn(&my.bearer);
            my.id.set((try me.read(struct { data: struct { user: struct { id: []const u8 } } })).data.user.id);
            my.page = 1;
            my.pages = me.range(1, 3);
            me.think();
            continue :sw my.to(.browse);
        },
        .browse => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &people,
                .query = &.{ .{ "page", me.text("{d}", .{my.page}) }, .{ "per_page", "10" } },
                .bearer = &my.bearer,
            }});
            try me.expect(&.{200});
            const page = try me.read(struct { data: []const struct { id: []const u8 } });
            me.observe("people on a page", @floatFromInt(page.data.len));
            me.think();
            my.page += 1;
            continue :sw my.to(if (my.page <= my.pages) .browse else .mistake);
        },
        .mistake => {
            if (!try me.answered()) switch (me.takeFault()) {
                .not_found => return me.send(&.{.{ .route = &person, .args = &.{"nobody"}, .bearer = &my.bearer, .fault = .not_found }}),
                .invalid_data => return me.send(&.{.{
                    .route = &edit,
                    .args = &.{my.id.get()},
                    .json = me.json(.{ .name = "" }),
                    .bearer = &my.bearer,
                    .fault = .invalid_data,
                }}),
                .bad_credentials => return me.send(&.{.{
                    .route = &login,
                    .json = me.json(.{ .email = user.email, .password = "not-the-password-1" }),
                    .fault = .bad_credentials,
                }}),
                else => {},
            };
            continue :sw my.to(.look);
        },
        .look => {
            if (!try me.answered()) return me.send(&.{
                .{ .route = &person, .args = &.{my.id.get()}, .bearer = &my.bearer },
                .{ .route = &roles, .args = &.{my.id.get()}, .bearer = &my.bearer, .capture = .nothing },
            });
            try me.expect(&.{200});
            my.name.set(me.fake(.name));
            me.thinkLong();
            continue :sw my.to(.rename);
        },
        .rename => {
            if (!try me.answered()) return me.send(&.{.{
                .route = &edit,
                .args = &.{my.id.get()},
                .json = me.json(.{ .name = my.name.get() }),
                .bearer = &my.bearer,
            }});
            try me.expect(&.{200});
            continue :sw my.to(.look_again);
        },
        .look_again => {
            if (!try me.answered()) return me.send(&.{.{ .route = &person, .args = &.{my.id.get()}, .bearer = &my.bearer }});
            try me.expect(&.{200});
            const read = try me.read(struct { data: struct { name: []const u8 } });
            me.check("a new name reads as written", vs.eql(read.data.name, my.name.get()));
            continue :sw my.to(.leave);
        },
        .leave => return if (try me.answered()) .done else me.logOut(&my.bearer),
    }
}

pub const behavior = vs.define(.{
    .name = "my-behavior",
    .version = "0.1.0",
    .routes = &.{ &login, &refresh, &logout, &people, &person, &register, &edit, &roles },
    .login = &login,
    .refresh = &refresh,
    .logout = &logout,
    .State = Walk,
}, journey, null);

comptime {
    @export(&behavior, .{ .name = "vs_behavior_of_module" });
}
