//! Files of a framework that hold code beside other things: what stands in their `<script>` blocks is JavaScript.

use memchr::memmem;

const BEGIN: &[u8] = b"<script";
const END: &[u8] = b"</script";

/// Whether a file is a component by its name.
pub(crate) fn is_component(path: &str) -> bool {
    path.ends_with(".vue") || path.ends_with(".svelte")
}

/// The code of a component. Whatever else stands in it is blank, so that all code keeps its place.
pub(crate) fn code(bytes: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = bytes
        .iter()
        .map(|byte| match byte {
            b'\n' | b'\r' => *byte,
            _ => b' ',
        })
        .collect();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..)
        && let Some(at) = memmem::find(rest, BEGIN)
    {
        let tag = from + at + BEGIN.len();
        let Some(length) = bytes.get(tag..).and_then(end_of_tag) else {
            break;
        };
        let start = tag + length;
        let block = bytes.get(start..).unwrap_or_default();
        let end = start + memmem::find(block, END).unwrap_or(block.len());
        if let (Some(to), Some(of)) = (out.get_mut(start..end), bytes.get(start..end)) {
            to.copy_from_slice(of);
        }
        // What follows is a statement of its own.
        if let Some(byte) = out.get_mut(end) {
            *byte = b';';
        }
        from = end;
    }
    out
}

/// How long the rest of an opening tag is. Attributes may hold brackets: `generic="T extends A<B>"`.
fn end_of_tag(rest: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, &byte) in rest.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{code, is_component};

    #[test]
    fn code_stays_where_it_is() {
        for (text, expected) in [
            (
                "<b/>\n<script setup>\na()\n</script>\n<i/>",
                "    \n              \na()\n;        \n    ",
            ),
            (
                "<script a=\"<b>\">c()</script>",
                "                c();        ",
            ),
            ("<script>a()", "        a()"),
            ("<script", "       "),
            ("<p>a()</p>", "          "),
        ] {
            assert_eq!(String::from_utf8_lossy(&code(text.as_bytes())), expected);
        }
        let both = code(b"<script>a</script><script lang=ts>b</script>");
        assert_eq!(both.iter().filter(|byte| **byte != b' ').count(), 4);
        assert!(is_component("src/a.vue") && !is_component("a.vue.js"));
    }
}
