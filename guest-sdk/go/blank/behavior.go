// What one person does, top to bottom. `./build` makes a module of it.

package main

import "my-behavior/vespeiro"

var health = &vespeiro.Route{vespeiro.GET, "/health", "monitoring"}

func journey(me *vespeiro.Me) {
	reply := me.Send(health.With())
	me.Check("the service is up", reply.Status == 200)
	me.Think()
}

var behavior = &vespeiro.Behavior{
	Name:    "my-behavior",
	Version: "0.1.0",
	Routes:  []*vespeiro.Route{health},
	Journey: journey,
}

func init() { vespeiro.Export(behavior) }

func main() {}
