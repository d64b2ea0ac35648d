// What `finish` puts in the place of WASI: a clock that goes on by a microsecond each time it is asked, in here.

package vespeiro

// The first bytes are what `finish` looks for; the clock follows.
var clock = [32]byte{'v', 'e', 's', 'p', 'e', 'i', 'r', 'o', ' ', 'c', 'l', 'o', 'c', 'k', ' ', ' '}

// Something has to name it, or the linker leaves it out.
var kept *[32]byte

func init() { kept = &clock }
