// Reading and writing the binary format of WebAssembly, as far as Go's linker uses it.

package main

import (
	"encoding/binary"
	"fmt"
)

type reader []byte

func (from *reader) byte() byte {
	first := (*from)[0]
	*from = (*from)[1:]
	return first
}

func (from *reader) number() uint64 {
	number, used := binary.Uvarint(*from)
	*from = (*from)[used:]
	return number
}

func (from *reader) signed() (value int64) {
	for shift := 0; ; shift += 7 {
		part := from.byte()
		value |= int64(part&0x7f) << shift
		if part&0x80 == 0 {
			if part&0x40 != 0 && shift < 57 {
				value |= -1 << (shift + 7)
			}
			return value
		}
	}
}

// bytes reads a length, and as many bytes.
func (from *reader) bytes() []byte {
	length := from.number()
	taken := (*from)[:length]
	*from = (*from)[length:]
	return taken
}

func (from *reader) numbers(count uint64) {
	for range count {
		from.number()
	}
}

func sized(body []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(body))), body...) }

// added puts an entry at a section's end.
func added(section, entry []byte) []byte {
	count, used := binary.Uvarint(section)
	return append(append(binary.AppendUvarint(nil, count+1), section[used:]...), entry...)
}

// constant is the code of an i32.
func constant(value uint64) []byte {
	code := []byte{0x41}
	for {
		part := byte(value & 0x7f)
		value >>= 7
		if value == 0 && part&0x40 == 0 {
			return append(code, part)
		}
		code = append(code, part|0x80)
	}
}

// redirected is the code section with calls to other functions.
func redirected(section []byte, to map[uint64]uint64) []byte {
	from := reader(section)
	count := from.number()
	out := binary.AppendUvarint(nil, count)
	for range count {
		body := reader(from.bytes())
		whole := body
		for range body.number() { // locals
			body.number()
			body.byte()
		}
		code := append([]byte(nil), whole[:len(whole)-len(body)]...)
		for len(body) > 0 {
			before := body
			target, calls := instruction(&body)
			if index, there := to[target]; calls && there {
				code = binary.AppendUvarint(append(code, 0x10), index)
			} else {
				code = append(code, before[:len(before)-len(body)]...)
			}
		}
		out = append(out, sized(code)...)
	}
	return out
}

// instruction reads one; of a call, which function.
func instruction(from *reader) (target uint64, calls bool) {
	switch code := from.byte(); {
	case code == 0x10:
		return from.number(), true
	case code >= 0x02 && code <= 0x04, code == 0x41, code == 0x42:
		from.signed()
	case code == 0x0c, code == 0x0d, code >= 0x20 && code <= 0x26, code == 0x3f, code == 0x40, code == 0xd0, code == 0xd2:
		from.number()
	case code == 0x0e:
		from.numbers(from.number() + 1)
	case code == 0x1c:
		from.numbers(from.number())
	case code == 0x11, code >= 0x28 && code <= 0x3e:
		from.numbers(2)
	case code == 0x43:
		*from = (*from)[4:]
	case code == 0x44:
		*from = (*from)[8:]
	case code == 0xfc:
		switch kind := from.number(); {
		case kind == 8, kind == 10, kind == 12, kind == 14:
			from.numbers(2)
		case kind > 8:
			from.numbers(1)
		}
	case code >= 0xc5:
		panic(fmt.Sprintf("an instruction %#x that Go's linker does not write", code))
	}
	return 0, false
}
