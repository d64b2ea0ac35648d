//! What one person does, step by step. `./build` makes a module of it.

const vs = @import("vespeiro/vespeiro.zig");

const health = vs.route(.get, "/health", "monitoring");

/// The steps, in their order. Each sends something, and goes on once that was answered.
const Step = enum { look };

/// What a session keeps from one step to the next.
const Walk = struct {
    at: Step,
};

fn journey(me: *vs.Me, my: *Walk) !vs.Turn {
    switch (my.at) {
        .look => {
            if (!try me.answered()) return me.send(&.{.{ .route = &health }});
            me.check("the service is up", me.replies()[0].status == 200);
            me.think();
            return .done;
        },
    }
}

pub const behavior = vs.define(.{
    .name = "my-behavior",
    .version = "0.1.0",
    .routes = &.{&health},
    .State = Walk,
}, journey, null);

comptime {
    @export(&behavior, .{ .name = "vs_behavior_of_module" });
}
