//! What the watch over module files asks of bytes that may still be written: whether they are a whole module. Text is taken as
//! WebAssembly's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_behavior::is_whole;

/// Of a module: magic and version.
const HEADER: usize = 8;

fuzz_target!(|data: &[u8]| {
    let text = std::str::from_utf8(data).ok();
    let module = text.and_then(|text| wat::parse_str(text).ok());
    if let Some(module) = &module {
        assert!(is_whole(module), "a module that was written to its end");
    }
    let bytes = module.as_deref().unwrap_or(data);
    let whole = is_whole(bytes);
    if !bytes.starts_with(b"\0asm") {
        assert!(
            whole || b"\0asm".starts_with(bytes),
            "a program is never half"
        );
        return;
    }
    // Where a section ends, what follows decides alone. After a length that is none, nothing does.
    for end in (HEADER..bytes.len()).filter(|end| is_whole(&bytes[..*end])) {
        let rest = [&bytes[..HEADER], &bytes[end..]].concat();
        assert!(whole || !is_whole(&rest), "at byte {end}");
    }
});
