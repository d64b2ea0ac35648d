//! Whether a module's file has been written to its end. Asked by the engine's watch, which reads files while a compiler may
//! still be at them.
//!
//! What must stay true: it looks at the lengths of sections alone, and at no byte twice.

/// What every module and component begins with, and the bytes of that and of its version.
const MAGIC: &[u8] = b"\0asm";
const HEADER: usize = 8;

/// `false` for an empty file and for one that ends within a section. A program has no sections, and is never half.
pub fn is_whole(bytes: &[u8]) -> bool {
    if bytes.len() >= MAGIC.len() && !bytes.starts_with(MAGIC) {
        return true;
    }
    let Some(mut rest) = bytes.get(HEADER..) else {
        return !MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]);
    };
    while let [_, after @ ..] = rest {
        let Some(next) = section(after) else {
            return false;
        };
        rest = next;
    }
    true
}

/// What follows a section that begins with its length, as LEB128 of at most five bytes; `None` if it is cut short. A length
/// that is none is for the compiler to refuse.
fn section(bytes: &[u8]) -> Option<&[u8]> {
    let mut length = 0_u64;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let body = bytes.get(at + 1..)?;
            return body.get(usize::try_from(length).ok()?..);
        }
    }
    (bytes.len() >= 5).then_some(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_within_a_section_is_not_whole() {
        let module = wat::parse_str("(module (memory 1) (data (i32.const 0) \"abc\"))").unwrap();
        assert!(is_whole(&module));
        // Where the memory's section ends, the data's has not begun.
        let between: Vec<usize> = (0..module.len())
            .filter(|length| is_whole(&module[..*length]))
            .collect();
        assert_eq!(
            between,
            [8, 13],
            "the header, and one section of three bytes"
        );
        for program in ["name = \"a\"", "x", "[]"] {
            assert!(is_whole(program.as_bytes()), "{program}");
        }
        assert!(!is_whole(b""));
        assert!(is_whole(b"\0asm\x01\0\0\0\x01\xff\xff\xff\xff\xff"));
    }
}
